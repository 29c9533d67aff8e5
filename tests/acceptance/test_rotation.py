"""Keys are replaced while alerts flow: no delivery fails, and what a key opened ends with that key."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.keystore import value_id
from tasks.tokens.rotation.turner import NotProvenError
from tasks.utils.error_handler import UnknownError
from tasks.utils.single_flight import BusyError
from tests.acceptance.rotation_world import ENCRYPTION_KEY, Traffic
from tests.redis_dump import everything

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.rotation_world import RotationWorld


def test_an_integration_key_is_replaced_and_the_former_one_goes_once_its_alerts_have_ended(
    rotation: RotationWorld,
) -> None:
    rotation.send(rotation.here, "trigger", "old")
    first = rotation.first_key

    [begun] = rotation.here.tokens.rotate("integration").rotations
    rotation.send(rotation.here, "trigger", "new")

    assert begun.step == "wait_unused"
    assert len(rotation.integrations()) == 2
    new = next(one["integration_key"] for one in rotation.integrations() if one["integration_key"] != first)
    rotation.pass_by()
    assert value_id(first) in str(rotation.here.tokens.known())
    [waiting] = rotation.here.tokens.service.resume().rotations
    assert "1 alerts are open" in waiting.waits
    rotation.send(rotation.here, "resolve", "old")
    rotation.send(rotation.here, "resolve", "new")
    rotation.here.tokens.service.resume()
    rotation.pass_by()
    [ended] = rotation.here.tokens.service.resume().rotations
    assert ended.step == "done"
    assert [one["integration_key"] for one in rotation.integrations()] == [new]
    sent = [one for one in rotation.outcomes() if one[1] in ("old", "new")]
    assert sent == [
        ("trigger", "old", first, 202),
        ("trigger", "new", new, 202),
        ("resolve", "old", first, 202),
        ("resolve", "new", new, 202),
    ]
    assert value_id(rotation.here.settings.services["shop"].channels[0].routing_key.get_secret_value()) == value_id(new)
    [stored] = rotation.here.keystore.read()
    assert [(one.id, bool(one.sealed)) for one in stored.values] == [(value_id(first), False), (value_id(new), True)]
    rotation.here.tokens.known()
    seen = str(rotation.here.client.hgetall(rotation.here.keys.keys_seen))
    assert value_id(new) in seen
    assert value_id(first) not in seen
    with pytest.raises(UnknownError, match="is gone"):
        rotation.here.tokens.service.reveal("integration", value_id(first))


def test_a_rotation_killed_before_and_after_every_word_it_writes_goes_on_and_no_delivery_fails(
    rotation: RotationWorld,
) -> None:
    traffic = Traffic(rotation)
    kills = 0
    with rotation.dying("integration", value_id(rotation.first_key)) as die:
        for number in range(24):
            traffic.flow(*([rotation.here, rotation.there][:: 1 - 2 * (number % 2)]))
            if die(("before", "after")[number % 2]) == 0:
                break
            kills += 1
            rotation.pass_by()  # the lease of the one that died has ended
            if number > 16:
                traffic.end(rotation.there)

    traffic.end(rotation.there)
    assert kills >= 14
    assert len(set(traffic.opened().values())) == 2
    assert traffic.closed() == traffic.opened()
    assert traffic.refused() == []
    assert len(rotation.integrations()) == 1
    assert not rotation.here.tokens.underway().rotations


def test_a_rotation_killed_at_random_points_goes_on(rotation: RotationWorld) -> None:
    dice = random.Random(1)
    traffic = Traffic(rotation)
    kills = 0
    with rotation.dying("integration", value_id(rotation.first_key)) as die:
        for _ in range(6):
            traffic.flow(rotation.here, rotation.there)
            kills += die(str(dice.uniform(0, 0.05))) != 0
            rotation.pass_by()

    traffic.end(rotation.there)
    for _ in range(3):
        rotation.here.tokens.service.resume()
        rotation.pass_by()
    assert kills
    assert traffic.closed() == traffic.opened()
    assert traffic.refused() == []
    assert len(rotation.integrations()) == 1


def test_the_proof_of_a_key_counts_among_the_events_of_its_minute(rotation: RotationWorld) -> None:
    [begun] = rotation.here.tokens.rotate("integration").rotations

    assert rotation.here.client.zcard(rotation.here.keys.sends(begun.key)) == 1


def test_two_who_rotate_at_once_do_not_get_in_each_others_way(rotation: RotationWorld) -> None:
    with rotation.here.flights.alone("tokens.rotate"), pytest.raises(BusyError, match="being done already"):
        rotation.there.tokens.rotate("integration")

    assert len(rotation.integrations()) == 1


def test_a_machine_that_was_away_takes_the_new_key_up_at_its_first_task(rotation: RotationWorld) -> None:
    rotation.here.tokens.rotate("integration")
    rotation.send(rotation.here, "trigger", "alert-1")

    late = rotation.machine("late")
    rotation.send(late, "resolve", "alert-1")

    [opened, closed] = [one for one in rotation.outcomes() if one[1] == "alert-1"]
    assert opened[2] == closed[2] != rotation.first_key


def test_a_process_that_has_not_looked_yet_still_ends_an_alert_with_the_key_that_opened_it(
    rotation: RotationWorld,
) -> None:
    rotation.there.renew_at_once()
    assert rotation.there.delivery
    rotation.here.tokens.rotate("integration")
    rotation.send(rotation.here, "trigger", "alert-1")

    rotation.there.alerts.submit("m", [{"service": "shop", "event_action": "resolve", "dedup_key": "alert-1"}])
    rotation.there.delivery.drain()

    [opened, closed] = [one for one in rotation.outcomes() if one[1] == "alert-1"]
    assert opened[2] == closed[2] != rotation.first_key


def test_rotated_keys_outlive_a_redis_that_lost_everything(rotation: RotationWorld) -> None:
    rotation.here.tokens.rotate("integration")
    new = rotation.here.settings.services["shop"].channels[0].routing_key

    rotation.here.client.delete(rotation.here.keys.keystore, rotation.here.keys.keystore_version)
    rotation.here.renew_at_once()
    rotation.there.renew_at_once()

    assert rotation.there.settings.services["shop"].channels[0].routing_key == new


def test_the_key_of_an_orchestration_is_replaced_the_same_way(rotation: RotationWorld) -> None:
    made = rotation.ask("POST", "/event_orchestrations", orchestration={"name": "Front door"})["orchestration"]
    path = f"/event_orchestrations/{made['id']}/integrations"
    [integration] = rotation.ask("GET", path)["integrations"]
    rotation.first_key = integration["parameters"]["routing_key"]
    runtime = rotation.machine("orchestrated")

    [begun] = runtime.tokens.rotate("orchestration").rotations
    assert (begun.step, len(rotation.ask("GET", path)["integrations"])) == ("wait_unused", 2)
    for _ in range(2):
        rotation.pass_by()
        [ended] = runtime.tokens.service.resume().rotations

    [left] = rotation.ask("GET", path)["integrations"]
    assert ended.step == "done"
    assert left["id"] != integration["id"]
    assert (
        runtime.settings.services["shop"].channels[0].routing_key.get_secret_value()
        == left["parameters"]["routing_key"]
    )


def test_what_is_past_its_age_is_replaced_where_the_settings_say_so_and_nothing_else(rotation: RotationWorld) -> None:
    runtime = rotation.machine("aging", TOCSIN_TOKENS__ROTATE="integration", TOCSIN_TOKENS__MAX_AGE__INTEGRATION="30d")
    assert runtime.tokens.rotate().nothing_due

    rotation.clock.advance(timedelta(days=31))

    assert [one.kind for one in runtime.tokens.rotate().rotations] == ["integration"]
    assert len(rotation.integrations()) == 2


def test_no_file_and_no_word_in_redis_holds_a_key_as_it_is(rotation: RotationWorld, tmp_path: Path) -> None:
    rotation.here.tokens.rotate("integration")
    rotation.there.renew_at_once()
    keys = [one["integration_key"] for one in rotation.integrations()]

    files = [path for path in tmp_path.rglob("*") if path.is_file() and "services" not in path.parts]
    kept = b"".join(path.read_bytes() for path in files) + everything(rotation.here.client).encode()

    assert not [key for key in keys if key.encode() in kept]
    assert (tmp_path / "there" / "security" / "keystore.json").stat().st_mode & 0o077 == 0


def test_what_lies_under_a_former_encryption_key_is_encrypted_anew(rotation: RotationWorld) -> None:
    rotation.here.tokens.rotate("ingest")
    new = rotation.machine(
        "here", ENCRYPTION_KEY="B" * 43 + "=", TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS=ENCRYPTION_KEY
    )
    before = new.tokens.rotate("encryption", dry_run=True).at_rest
    assert [(one.place, one.count, one.needs_former) for one in before] == [("rotated keys", 2, True)]

    new.tokens.rotate("encryption")

    assert [(one.count, one.needs_former) for one in new.tokens.rotate("encryption").at_rest] == [(2, False)]
    only = rotation.machine("only", ENCRYPTION_KEY="B" * 43 + "=")
    only.renew_at_once()
    assert len(only.settings.services["shop"].ingest_keys) == 2


def test_health_says_how_old_each_kind_of_key_is(rotation: RotationWorld) -> None:
    rotation.here.tokens.known()
    rotation.clock.advance(timedelta(days=170))

    lines = {line.name: line for line in rotation.here.tokens.lines()}

    assert (lines["tokens.integration"].state, lines["tokens.jwt"].state) == ("ok", "warn")
    assert lines["tokens.jwt"].mend.startswith("`tocsin tokens rotate jwt ")
    assert "PagerDuty" in lines["tokens.api"].mend
    assert set(rotation.here.client.hgetall(rotation.here.keys.tokens_due)) == {"api", "jwt"}


def test_a_new_key_that_pagerduty_refuses_is_not_put_in_force(rotation: RotationWorld) -> None:
    rotation.sandbox.fault(kind="reject", status=403, path="/v2/enqueue")

    with pytest.raises(NotProvenError, match="the old one stays in force"):
        rotation.here.tokens.rotate("integration")
    rotation.sandbox.heal()
    rotation.send(rotation.there, "trigger", "alert-1")

    [resumed] = rotation.there.tokens.service.resume().rotations
    assert resumed.step == "wait_unused"
    assert [one[2:] for one in rotation.outcomes() if one[1] == "alert-1"] == [(rotation.first_key, 202)]


def test_a_rotation_that_cannot_go_on_keeps_no_other_back(rotation: RotationWorld) -> None:
    rotation.sandbox.fault(kind="reject", status=403, path="/v2/enqueue")
    with pytest.raises(NotProvenError):
        rotation.here.tokens.rotate("integration")
    [jwt] = rotation.here.tokens.rotate("jwt").rotations
    assert jwt.step == "wait_unused"
    rotation.clock.advance(timedelta(days=40))

    for _ in range(2):
        with pytest.raises(NotProvenError):
            rotation.here.tokens.service.resume()
        rotation.pass_by()

    assert [key.kind for key in rotation.here.tokens.service.underway()] == ["integration"]


def test_each_step_is_on_record(rotation: RotationWorld) -> None:
    rotation.here.tokens.rotate("integration")

    kept = rotation.here.client.xrange(rotation.here.keys.of("acts").ledger)
    steps = [word for _, fields in kept for word in fields.values() if str(word).startswith("tokens.")]
    assert steps == ["tokens.begin", "tokens.make", "tokens.wait_known", "tokens.prove", "tokens.switch"]
