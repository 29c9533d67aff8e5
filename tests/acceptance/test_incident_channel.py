"""Alerts as incidents over REST, for services without an integration key."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.rest_world import RestWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.runtime import Runtime
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

FILE = """
channels:
  - {name: incident, kind: pagerduty_incident, service_id: SERVICE_ID}
"""
WITH_PAGE = FILE + "  - {name: page, routing_key: sandboxshop000000000000000000001}\n"


@pytest.fixture
def world(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[RestWorld]:
    world = RestWorld(tmp_path, server.url, sandbox)
    yield world
    world.close()


def alert(key: str = "disk", action: str = "trigger", **payload: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"service": "shop", "event_action": action, "dedup_key": key}
    if action == "trigger":
        body["payload"] = {"summary": f"{key} is full", "source": "web1", "severity": "critical", **payload}
    return body


def go(runtime: Runtime, *alerts: dict[str, Any]) -> list[str]:
    """Submit and deliver; the steps of the last one's story."""
    [*_, last] = runtime.alerts.submit(f"m{runtime.clock.now_ms()}", list(alerts)).alerts
    runtime.delivery.drain()
    return [step.step for step in runtime.audit.story(last.id)]


def test_an_alert_becomes_an_incident_that_follows_it(world: RestWorld) -> None:
    runtime = world.wire(FILE)

    told = go(runtime, alert(custom_details={"free": "0 MB"}, component="nginx"))
    [incident] = world.incidents()
    assert told[-1] == "sent"
    assert (incident["title"], incident["status"], incident["urgency"]) == ("disk is full", "triggered", "high")
    assert incident["service"]["id"] == world.service_id

    go(runtime, alert(action="acknowledge"))
    assert [one["status"] for one in world.incidents()] == ["acknowledged"]
    go(runtime, alert(action="resolve"))
    assert [one["status"] for one in world.incidents()] == ["resolved"]
    go(runtime, alert())
    assert [one["status"] for one in world.incidents()] == ["resolved", "triggered"]


def test_urgency_and_words_come_from_the_alert(world: RestWorld) -> None:
    runtime = world.wire(FILE.replace("SERVICE_ID}", "SERVICE_ID, urgencies: {warning: high}}"))

    go(runtime, alert("a", severity="info"))
    go(runtime, alert("b", severity="warning", summary="x" * 1500))

    low, high = world.incidents()
    assert (low["urgency"], high["urgency"]) == ("low", "high")
    assert len(high["title"]) <= 1024


def test_a_create_whose_answer_was_lost_makes_one_incident(world: RestWorld, clock: MovableClock) -> None:
    runtime = world.wire(FILE)
    world.sandbox.fault(kind="reset", ingest=True, count=1, path="/incidents")

    told = go(runtime, alert())
    assert told[-1] == "retry"
    clock.advance(timedelta(minutes=1))
    runtime.delivery.drain()

    assert [one["title"] for one in world.incidents()] == ["disk is full"]
    [event] = runtime.audit.trails("disk", ["shop"])[0].events
    assert runtime.audit.story(event.event_id)[-1].step == "sent"


def test_a_repeat_lets_the_open_incident_say_what_is_new(world: RestWorld) -> None:
    runtime = world.wire(FILE)

    go(runtime, alert(severity="warning"))
    go(runtime, alert(severity="critical", summary="disk is full, and so is the other"))

    [incident] = world.incidents()
    assert (incident["title"], incident["urgency"]) == ("disk is full, and so is the other", "high")


def test_what_nobody_finds_is_looked_for_twice_and_then_taken_for_closed(world: RestWorld, clock: MovableClock) -> None:
    runtime = world.wire(FILE)
    go(runtime, alert())
    world.sandbox.reset_but_keys([])  # PagerDuty has forgotten it

    told = go(runtime, alert(action="resolve"))
    assert told[-1] == "adapted"
    clock.advance(timedelta(seconds=11))
    runtime.delivery.drain()

    [_, event] = runtime.audit.trails("disk", ["shop"])[0].events
    story = runtime.audit.story(event.event_id)
    assert story[-1].step == "sent"
    assert any("does not show the incident yet" in step.text for step in story)


def test_a_key_that_is_refused_hands_over_to_the_next_channel(world: RestWorld) -> None:
    runtime = world.wire(WITH_PAGE)
    world.sandbox.register("sandboxshop000000000000000000001", "standby")
    world.sandbox.fault(kind="reject", status=401, path="/incidents")

    told = go(runtime, alert())

    assert (told[-1], "next_channel" in told) == ("sent", True)
    world.sandbox.heal()
    assert [one["service"]["summary"] for one in world.incidents()] == ["standby"]


def test_a_throttled_channel_rests_and_loses_nothing(world: RestWorld, clock: MovableClock) -> None:
    runtime = world.wire(FILE)
    world.sandbox.fault(kind="throttle", count=1, headers=True, path="/incidents")

    go(runtime, alert())
    assert world.incidents() == []
    clock.advance(timedelta(minutes=1))
    runtime.delivery.drain()

    assert len(world.incidents()) == 1
