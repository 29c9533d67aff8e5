"""Keys are replaced while alerts flow: no delivery fails, and what a key opened ends with that key."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.keystore import value_id
from tasks.tokens.rotation.lines import key_lines
from tasks.tokens.service import AccessTokens, RefusedTokenError
from tasks.tokens.wiring import token_rules
from tasks.utils.single_flight import BusyError
from tests.acceptance.rotation_world import ENCRYPTION_KEY, INGEST, RotationWorld, Traffic
from tests.redis_dump import everything

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox


@pytest.fixture
def world(
    client: Any, server: Server, sandbox: Sandbox, clock: MovableClock, tmp_path: Path
) -> Iterator[RotationWorld]:
    del client  # the server is empty
    world = RotationWorld(tmp_path, server.url, sandbox, clock)
    yield world
    world.close()


def test_an_integration_key_is_replaced_and_the_former_one_goes_once_its_alerts_have_ended(
    world: RotationWorld,
) -> None:
    world.send(world.here, "trigger", "old")
    first = world.first_key

    [begun] = world.here.tokens.rotate("integration").rotations
    world.send(world.here, "trigger", "new")

    assert begun.step == "wait_unused"
    assert len(world.integrations()) == 2
    new = next(one["integration_key"] for one in world.integrations() if one["integration_key"] != first)
    world.pass_by()
    [waiting] = world.here.tokens.service.resume().rotations
    assert "1 alerts are open" in waiting.waits
    world.send(world.here, "resolve", "old")
    world.send(world.here, "resolve", "new")
    world.here.tokens.service.resume()
    world.pass_by()
    [ended] = world.here.tokens.service.resume().rotations
    assert ended.step == "done"
    assert [one["integration_key"] for one in world.integrations()] == [new]
    sent = [one for one in world.outcomes() if one[1] in ("old", "new")]
    assert sent == [
        ("trigger", "old", first, 202),
        ("trigger", "new", new, 202),
        ("resolve", "old", first, 202),
        ("resolve", "new", new, 202),
    ]
    assert value_id(world.here.settings.services["shop"].channels[0].routing_key.get_secret_value()) == value_id(new)


def test_a_rotation_killed_before_and_after_every_word_it_writes_goes_on_and_no_delivery_fails(
    world: RotationWorld,
) -> None:
    traffic = Traffic(world)
    kills = 0
    with world.dying("integration", value_id(world.first_key)) as die:
        for number in range(24):
            traffic.flow(*([world.here, world.there][:: 1 - 2 * (number % 2)]))
            if die(("before", "after")[number % 2]) == 0:
                break
            kills += 1
            world.pass_by()  # the lease of the one that died has ended
            if number > 16:
                traffic.end(world.there)

    traffic.end(world.there)
    assert kills >= 14
    assert len(set(traffic.opened().values())) == 2
    assert traffic.closed() == traffic.opened()
    assert traffic.refused() == []
    assert len(world.integrations()) == 1
    assert not world.here.tokens.underway().rotations


def test_two_who_rotate_at_once_do_not_get_in_each_others_way(world: RotationWorld) -> None:
    with world.here.flights.alone("tokens.rotate"), pytest.raises(BusyError, match="being done already"):
        world.there.tokens.rotate("integration")

    assert len(world.integrations()) == 1


def test_a_machine_that_was_away_takes_the_new_key_up_at_its_first_task(world: RotationWorld) -> None:
    world.here.tokens.rotate("integration")
    world.send(world.here, "trigger", "alert-1")

    late = world.machine("late")
    world.send(late, "resolve", "alert-1")

    [opened, closed] = [one for one in world.outcomes() if one[1] == "alert-1"]
    assert opened[2] == closed[2] != world.first_key


def test_a_process_that_has_not_looked_yet_still_ends_an_alert_with_the_key_that_opened_it(
    world: RotationWorld,
) -> None:
    world.there.renew_at_once()
    assert world.there.delivery
    world.here.tokens.rotate("integration")
    world.send(world.here, "trigger", "alert-1")

    world.there.alerts.submit("m", [{"service": "shop", "event_action": "resolve", "dedup_key": "alert-1"}])
    world.there.delivery.drain()

    [opened, closed] = [one for one in world.outcomes() if one[1] == "alert-1"]
    assert opened[2] == closed[2] != world.first_key


def test_rotated_keys_outlive_a_redis_that_lost_everything(world: RotationWorld) -> None:
    world.here.tokens.rotate("integration")
    new = world.here.settings.services["shop"].channels[0].routing_key

    world.here.client.delete(world.here.keys.keystore, world.here.keys.keystore_version)
    world.here.renew_at_once()
    world.there.renew_at_once()

    assert world.there.settings.services["shop"].channels[0].routing_key == new


def test_the_key_of_an_orchestration_is_replaced_the_same_way(world: RotationWorld) -> None:
    made = world.ask("POST", "/event_orchestrations", orchestration={"name": "Front door"})["orchestration"]
    path = f"/event_orchestrations/{made['id']}/integrations"
    [integration] = world.ask("GET", path)["integrations"]
    world.first_key = integration["parameters"]["routing_key"]
    runtime = world.machine("orchestrated")

    [begun] = runtime.tokens.rotate("orchestration").rotations
    assert (begun.step, len(world.ask("GET", path)["integrations"])) == ("wait_unused", 2)
    for _ in range(2):
        world.pass_by()
        [ended] = runtime.tokens.service.resume().rotations

    [left] = world.ask("GET", path)["integrations"]
    assert ended.step == "done"
    assert left["id"] != integration["id"]
    assert (
        runtime.settings.services["shop"].channels[0].routing_key.get_secret_value()
        == left["parameters"]["routing_key"]
    )


def test_the_secret_of_access_tokens_is_replaced_and_the_former_one_taken_as_long_as_tokens_live(
    world: RotationWorld,
) -> None:
    token = AccessTokens(token_rules(world.there.settings)).issue("anna", ["alerts:read"], timedelta(hours=1))

    world.here.tokens.rotate("jwt")
    world.there.renew_at_once()
    fresh = AccessTokens(token_rules(world.there.settings))
    assert fresh.check(token).subject == "anna"
    assert fresh.key_ids[0] != AccessTokens(token_rules(world.machine("new").settings)).key_ids[0]

    world.clock.advance(world.here.settings.api.max_token_lifetime)
    for _ in range(2):
        world.here.tokens.service.resume()
        world.pass_by()
    world.there.renew_at_once()
    with pytest.raises(RefusedTokenError):
        AccessTokens(token_rules(world.there.settings)).check(token)


def test_an_ingest_key_is_replaced_and_the_former_one_stays_while_a_sender_uses_it(world: RotationWorld) -> None:
    [begun] = world.here.tokens.rotate("ingest").rotations
    new = world.here.tokens.service.reveal("ingest", begun.key)
    world.there.renew_at_once()
    assert {key.get_secret_value() for key in world.there.settings.services["shop"].ingest_keys} == {INGEST, new}

    world.clock.advance(timedelta(days=8))
    world.here.client.hset(world.here.keys.keys_seen, f"{begun.former}:used", world.here.clock.now_ms())
    [used] = world.here.tokens.service.resume().rotations
    assert "a sender still used the former key" in used.waits

    world.clock.advance(timedelta(days=2))
    for _ in range(2):
        world.here.tokens.service.resume()
        world.pass_by()
    world.there.renew_at_once()
    assert [key.get_secret_value() for key in world.there.settings.services["shop"].ingest_keys] == [new]


def test_what_is_past_its_age_is_replaced_where_the_settings_say_so_and_nothing_else(world: RotationWorld) -> None:
    runtime = world.machine("aging", TOCSIN_TOKENS__ROTATE="integration", TOCSIN_TOKENS__MAX_AGE__INTEGRATION="30d")
    assert runtime.tokens.rotate().nothing_due

    world.clock.advance(timedelta(days=31))

    assert [one.kind for one in runtime.tokens.rotate().rotations] == ["integration"]
    assert len(world.integrations()) == 2


def test_no_file_and_no_word_in_redis_holds_a_key_as_it_is(world: RotationWorld, tmp_path: Path) -> None:
    world.here.tokens.rotate("integration")
    world.there.renew_at_once()
    keys = [one["integration_key"] for one in world.integrations()]

    files = [path for path in tmp_path.rglob("*") if path.is_file() and "services" not in path.parts]
    kept = b"".join(path.read_bytes() for path in files) + everything(world.here.client).encode()

    assert not [key for key in keys if key.encode() in kept]
    assert (tmp_path / "there" / "security" / "keystore.json").stat().st_mode & 0o077 == 0


def test_what_lies_under_a_former_encryption_key_is_encrypted_anew(world: RotationWorld) -> None:
    world.here.tokens.rotate("ingest")
    new = world.machine("here", ENCRYPTION_KEY="B" * 43 + "=", TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS=ENCRYPTION_KEY)
    before = new.tokens.rotate("encryption", dry_run=True).at_rest
    assert [(one.place, one.count, one.needs_former) for one in before] == [("rotated keys", 2, True)]

    new.tokens.rotate("encryption")

    assert [(one.count, one.needs_former) for one in new.tokens.rotate("encryption").at_rest] == [(2, False)]
    only = world.machine("only", ENCRYPTION_KEY="B" * 43 + "=")
    only.renew_at_once()
    assert len(only.settings.services["shop"].ingest_keys) == 2


def test_health_says_how_old_each_kind_of_key_is(world: RotationWorld) -> None:
    world.here.tokens.list()
    world.clock.advance(timedelta(days=170))

    lines = {line.name: line for line in key_lines(world.here.tokens.list(), timedelta(days=14))}

    assert (lines["tokens.integration"].state, lines["tokens.jwt"].state) == ("ok", "warn")
    assert lines["tokens.jwt"].mend.startswith("`tocsin tokens rotate jwt ")
    assert "PagerDuty" in lines["tokens.api"].mend
