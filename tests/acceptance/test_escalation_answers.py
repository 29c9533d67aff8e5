"""Timers hear what PagerDuty says, and are there again after Redis lost everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.escalations.freezing import Freezer
from tasks.incidents.wishes import wish_of
from tests.acceptance.loop_world import Loop
from tests.acceptance.sync_world import PRIMARY, SERVICES, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox

ACKNOWLEDGED_FOR = 1801  # seconds; PagerDuty's own time-out
POLICY = "on_no_receipt: escalate\nsteps:\n  - {name: one, after: 5m, targets: [{channel: standby}]}\n"


ESCALATING = {**SERVICES, "shop": "escalation: nights\n" + SERVICES["shop"]}


class EscalatingWorld(World):
    """Its `shop` escalates."""

    services = ESCALATING


class EscalatingLoop(Loop):
    """Its `shop` escalates, too."""

    services = ESCALATING


@pytest.fixture
def folder(tmp_path: Path, client: Any) -> Path:
    """Of a configuration with the policy."""
    del client
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "nights.yaml").write_text(POLICY)
    return tmp_path


@pytest.fixture
def world(folder: Path, server: Server, sandbox: Sandbox) -> Iterator[World]:
    with EscalatingWorld(folder, server.url, sandbox) as world:
        yield world


@pytest.fixture
def loop(folder: Path, server: Server, sandbox: Sandbox) -> Iterator[Loop]:
    with EscalatingLoop(folder, server.url, sandbox) as loop:
        yield loop


def state(world: World, key: str = "a") -> str:
    return world.client.hget(world.keys.escalation(world.uid(key)), "state") or "none"


def timers(world: World) -> int:
    return int(world.client.zcount(world.keys.escalations_due, "-inf", "(+inf"))


def test_an_acknowledge_in_pagerduty_stops_the_timer_and_taking_it_back_lets_it_go_on(world: World) -> None:
    world.send("trigger", "a")
    incident = world.incident("a")["id"]

    world.runtime.rest.incidents.acknowledge(incident)
    world.sync()
    assert (state(world), timers(world)) == ("acknowledged", 0)

    world.advance(ACKNOWLEDGED_FOR)
    world.sync()
    assert (state(world), timers(world), world.status("a")) == ("running", 1, "open")


def test_a_resolve_in_pagerduty_ends_the_escalation(world: World) -> None:
    world.send("trigger", "a")
    world.runtime.rest.incidents.resolve(world.incident("a")["id"])
    world.sync()

    assert (state(world), timers(world)) == ("cancelled", 0)


def test_after_the_loss_of_redis_every_open_incident_has_its_timer_again(world: World) -> None:
    keys = [f"key-{number}" for number in range(30)]
    world.send("trigger", *keys)
    world.runtime.rest.incidents.resolve(world.incident("key-0")["id"])
    assert timers(world) == 30

    world.lose_everything()
    assert timers(world) == 0
    world.sync()

    assert timers(world) == 29
    assert {state(world, key) for key in keys[1:]} == {"running"}


def test_a_page_that_pagerduty_never_showed_makes_the_next_step_due_at_once(loop: Loop) -> None:
    loop.swallow(PRIMARY)
    loop.send("trigger", "a")
    loop.pass_time(70)

    assert loop.runtime.escalations.service.advance().taken == 1
    assert loop.runtime.escalations.desk.show("a")[0].reason == "exhausted"


def test_a_step_opens_its_incident_at_the_channel_it_names(world: World) -> None:
    world.send("trigger", "a")
    world.advance(300)
    assert world.runtime.escalations.service.advance().taken == 1
    world.work()

    assert len(world.open_incidents("a")) == 2
    assert isinstance(world.runtime.alert_rules.escalates, Freezer)
    world.send("resolve", "a")
    assert world.open_incidents("a") == []


def test_a_schedule_is_reached_by_whoever_is_on_call_there(world: World) -> None:
    rest = world.runtime.rest
    user = rest.users.create({"type": "user", "name": "Ann", "email": "bot@example.com"})["id"]
    schedule = rest.schedules.create(weeks_of(user))["id"]
    world.send("trigger", "a")
    wish = wish_of("reassign", world.incident("a")["id"], on_call=schedule, author="escalation")

    report = world.runtime.incidents.service.act("request-1", wish)

    assert report.state == "done", report
    assert [one["assignee"]["id"] for one in world.incident("a")["assignments"]] == [user]


def test_a_schedule_with_nobody_on_call_is_said_so(world: World) -> None:
    world.send("trigger", "a")
    wish = wish_of("reassign", world.incident("a")["id"], on_call="PNOBODY", author="escalation")

    report = world.runtime.incidents.service.act("request-1", wish)

    assert report.state == "failed", report


def weeks_of(user: str) -> dict[str, Any]:
    """A schedule in which one person is always on call."""
    turns = {
        "start": "2026-01-05T09:00:00+01:00",
        "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
        "rotation_turn_length_seconds": 7 * 86_400,
        "users": [{"user": {"id": user, "type": "user_reference"}}],
    }
    return {"type": "schedule", "name": "weeks", "time_zone": "Europe/Berlin", "schedule_layers": [turns]}
