"""incidents.sync: what PagerDuty shows and what is known here are brought together, whichever side forgot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.sync_world import FOREIGN, PRIMARY, STANDBY, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox


BOT = "bot@example.com"


@pytest.fixture
def world(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, server.url, sandbox) as made:
        yield made


def test_what_is_open_on_both_sides_is_known_and_seen(world: World) -> None:
    world.send("trigger", "a", "b")

    report = world.sync()

    assert (report.incidents, report.ours, report.known, report.seen) == (2, 2, 2, 2)
    assert (report.rebuilt, report.closed, report.missing, report.foreign) == (0, 0, 0, 0)
    assert world.sync().seen == 0


def test_after_the_loss_what_is_open_there_is_known_here_again(world: World) -> None:
    world.send("trigger", "a", "b")
    world.runtime.rest.incidents.acknowledge(world.incident("b")["id"], sender="bot@example.com")
    world.lose_everything()

    report = world.sync()

    assert (report.rebuilt, report.known, report.seen, report.acknowledged) == (2, 0, 1, 1)
    assert (world.status("a"), world.status("b")) == ("open", "acknowledged")
    assert world.runtime.audit.prove().broken_count == 0


def test_a_resolve_after_the_loss_reaches_the_place_that_is_open(world: World) -> None:
    world.sandbox.fault(kind="reject", status=403, key=PRIMARY)
    world.send("trigger", "a")
    world.sandbox.heal()
    world.lose_everything()
    world.sync()

    world.send("resolve", "a")

    assert world.open_there() == {}
    assert [entry["routing_key"] for entry in world.sandbox.log() if entry["event_action"] == "resolve"] == [STANDBY]


def test_a_resolve_that_came_before_the_sync_goes_out_once_more(world: World) -> None:
    world.sandbox.fault(kind="reject", status=403, key=PRIMARY)
    world.send("trigger", "a")
    world.sandbox.heal()
    world.lose_everything()
    world.send("resolve", "a")
    assert world.open_there() == {"a": 1}

    report = world.sync()

    assert report.resolved_again == 1
    assert world.open_there() == {}
    assert world.status("a") == "resolved"
    assert world.sync().resolved_again == 0


def test_a_repeated_trigger_opens_no_second_incident(world: World) -> None:
    world.send("trigger", "a")
    world.lose_everything()
    world.sync()

    world.send("trigger", "a")
    world.send("trigger", "a")

    assert world.open_there() == {"a": 1}


def test_a_trigger_that_came_before_the_sync_stands_where_it_was_open_too(world: World) -> None:
    world.sandbox.fault(kind="reject", status=403, key=PRIMARY)
    world.send("trigger", "a")
    world.sandbox.heal()
    world.lose_everything()
    world.send("trigger", "a")
    world.sync()

    world.send("resolve", "a")

    assert world.open_there() == {}


def test_an_alert_routed_to_another_service_is_rebuilt_as_its_own(world: World) -> None:
    world.send("trigger", "d", component="disk")
    world.runtime.audit.seal()
    world.lose_everything()

    report = world.sync()

    assert report.rebuilt == 1
    assert world.status("d") == "open"
    assert world.status("d", "platform") == world.status("d", "twin") == "unknown"
    world.send("resolve", "d")
    assert world.open_there() == {}


def test_without_any_evidence_every_service_of_the_key_gets_the_alert(world: World) -> None:
    world.send("trigger", "x", service="twin")
    world.lose_everything()

    world.sync()

    assert world.status("x", "twin") == "open"
    world.send("resolve", "x", service="twin")
    assert world.open_there() == {}
    world.sync()
    assert world.status("x", "platform") in ("resolved", "unknown")


def test_what_others_send_is_left_alone(world: World) -> None:
    event = {"routing_key": FOREIGN, "event_action": "trigger", "dedup_key": "theirs"}
    payload = {"summary": "theirs", "source": "x", "severity": "critical"}
    world.sandbox.http.post("/v2/enqueue", json={**event, "payload": payload})

    report = world.sync()

    assert (report.foreign, report.rebuilt) == (1, 0)
    assert world.open_there() == {"theirs": 1}


def test_what_was_resolved_there_is_closed_here(world: World) -> None:
    world.send("trigger", "a", "b")
    world.sync()
    for key in ("a", "b"):
        world.runtime.rest.incidents.resolve(world.incident(key)["id"], sender="bot@example.com")

    report = world.sync()

    assert report.closed == 2
    assert (world.status("a"), world.status("b")) == ("resolved", "resolved")
    assert world.runtime.audit.prove().holds


def test_what_was_resolved_there_before_it_was_ever_seen_is_closed_here(world: World) -> None:
    world.send("trigger", "a")
    world.runtime.rest.incidents.resolve(world.incident("a")["id"], sender="bot@example.com")

    report = world.sync()

    assert report.closed == 1
    assert world.status("a") == "resolved"


def test_a_delayed_read_closes_nothing(world: World) -> None:
    world.sandbox.control("POST", "/limits", {"read_delay_seconds": 30})
    world.send("trigger", "a")

    report = world.sync()

    assert (report.incidents, report.missing, report.closed) == (0, 1, 0)
    assert world.status("a") == "open"


def test_an_alert_that_was_swallowed_counts_as_missing_and_stays_open(world: World) -> None:
    world.sandbox.fault(kind="swallow")
    world.send("trigger", "a")
    world.sandbox.heal()

    report = world.sync()

    assert (report.missing, report.closed) == (1, 0)
    assert world.status("a") == "open"


def test_a_merged_incident_does_not_close_its_alert(world: World) -> None:
    world.send("trigger", "a", "b")
    world.sync()
    into, source = world.incident("a")["id"], world.incident("b")["id"]
    world.runtime.rest.incidents.merge(into, [source], sender="bot@example.com")

    report = world.sync()

    assert (report.closed, report.known) == (0, 2)
    assert world.status("b") == "open"


def test_a_dry_run_changes_nothing(world: World) -> None:
    world.send("trigger", "a")
    world.lose_everything()

    report = world.sync(dry_run=True)

    assert (report.rebuilt, report.dry_run) == (1, True)
    assert world.status("a") == "unknown"
    assert world.runtime.incident_sync.last() is None


def test_one_runs_at_a_time(world: World) -> None:
    world.client.hset(world.keys.sync, mapping={"holder": "another", "until": world.runtime.clock.now_ms() + 60_000})

    assert world.sync().state == "busy"
    world.client.hset(world.keys.sync, "until", 1)
    assert world.sync().state == "done"


def test_a_run_that_was_broken_off_is_begun_anew(world: World) -> None:
    world.send("trigger", *(f"k{number}" for number in range(150)))
    world.lose_everything()

    def end(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.sync_that_tells(end)
    report = world.sync()

    assert (report.rebuilt, report.known) == (50, 100)
    assert all(world.status(f"k{number}") == "open" for number in range(150))


def test_whoever_asks_is_told_what_was_rebuilt(world: World) -> None:
    world.send("trigger", "a")
    world.lose_everything()
    told: list[str] = []

    world.sync_that_tells(told.extend)

    assert told == [world.uid("a")]


def test_without_a_key_it_is_off(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> None:
    with World(tmp_path, server.url, sandbox, TOCSIN_INCIDENTS__SYNC__ENABLED="false") as world:
        assert world.sync().state == "off"
