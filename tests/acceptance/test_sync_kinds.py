"""incidents.sync with what is not simply an alert of its own: groups, incidents opened over REST, own alerts; and within its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.sync_world import CROWD, PRIMARY, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox


@pytest.fixture
def world(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, server.url, sandbox) as made:
        yield made


def test_the_incident_of_a_group_that_leads_nowhere_any_more_is_named_and_left_alone(world: World) -> None:
    payload = {"summary": "2 alerts firing", "source": "web", "severity": "critical"}
    event = {
        "routing_key": CROWD,
        "event_action": "trigger",
        "dedup_key": f"tocsin-group-{'0' * 32}",
        "payload": payload,
    }
    world.sandbox.http.post("/v2/enqueue", json=event).raise_for_status()
    world.advance(1)
    world.lose_everything()

    report = world.sync()

    assert (report.rebuilt, len(report.groups)) == (0, 1)
    assert report.groups[0].startswith("#")
    assert len(world.open_there()) == 1


def test_an_incident_opened_over_rest_is_rebuilt_and_resolved(world: World) -> None:
    world.send("trigger", "r", service="byrest")
    world.lose_everything()

    report = world.sync()
    world.send("resolve", "r", service="byrest")

    assert report.rebuilt == 1
    assert world.incident("r")["status"] == "resolved"


def test_an_own_alert_whose_memory_was_lost_ends_when_it_is_over(world: World) -> None:
    payload = {"component": "tocsin"}
    world.send("trigger", "tocsin-own:dead_letters", **payload)
    world.lose_everything()
    world.sync()

    for _ in range(10):
        world.advance(10)
        world.runtime.own_alerts.look(lambda _: {})
    world.work()

    assert "tocsin-own:dead_letters" not in world.open_there()


def test_a_second_loss_is_told_though_pagerduty_has_the_alert_of_the_first_one_open(world: World) -> None:
    world.send("trigger", "tocsin-own:redis_lost", summary="Tocsin: the first loss")
    world.lose_everything()
    world.sync()  # it is quicker than the sentinel
    world.sandbox.clear_log()

    world.runtime.own_alerts.look(lambda _: {})
    world.work()

    [told] = [entry for entry in world.sandbox.log() if entry["dedup_key"] == "tocsin-own:redis_lost"]
    assert told["summary"].startswith("Tocsin: Redis lost everything")


def test_it_keeps_to_its_share_of_the_calls(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> None:
    with World(tmp_path, server.url, sandbox, TOCSIN_LIMITS__REST_CALLS_PER_MINUTE="60") as world:
        world.send("trigger", *(f"k{number}" for number in range(30)))
        world.sync()
        for number in range(30):
            event = {"routing_key": PRIMARY, "event_action": "resolve", "dedup_key": f"k{number}"}
            sandbox.http.post("/v2/enqueue", json=event).raise_for_status()
        world.advance(120)
        waited = world.waits_by_the_clock()

        report = world.sync()

        assert (report.closed, report.unasked, report.calls) == (30, 0, 31)
        assert sum(waited) >= 60  # 31 calls at 18 a minute, the first few at once


def test_what_cannot_be_asked_in_time_waits_for_the_next_run(
    client: Any, server: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    with World(tmp_path, server.url, sandbox, TOCSIN_INCIDENTS__SYNC__MOST_ASKED="2") as world:
        world.send("trigger", "a", "b", "c")
        for key in ("a", "b", "c"):
            event = {"routing_key": PRIMARY, "event_action": "resolve", "dedup_key": key}
            sandbox.http.post("/v2/enqueue", json=event).raise_for_status()

        assert [(report.closed, report.unasked) for report in (world.sync(), world.sync())] == [(2, 1), (1, 0)]
