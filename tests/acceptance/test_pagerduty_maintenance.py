"""PagerDuty's maintenance windows hold back alerts here, as long as they last there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.error_handler import TransientError
from tests.acceptance.rest_world import RestWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.runtime import Runtime
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

KEY = "sandboxshop000000000000000000001"
FILE = f"""
pagerduty_service_id: SERVICE_ID
channels:
  - {{name: page, routing_key: {KEY}}}
"""
HOUR = timedelta(hours=1)


@pytest.fixture
def world(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[RestWorld]:
    world = RestWorld(tmp_path, server.url, sandbox)
    sandbox.register(KEY, "shop")
    yield world
    world.close()


def window(world: RestWorld, begins: datetime, ends: datetime, **more: Any) -> str:
    """Somebody puts the service into maintenance in PagerDuty; the window's id."""
    body = {
        "type": "maintenance_window",
        "start_time": begins.isoformat(),
        "end_time": ends.isoformat(),
        "description": "new disks",
        "services": [{"id": world.service_id, "type": "service_reference"}],
        **more,
    }
    return str(world.ask("POST", "/maintenance_windows", maintenance_window=body)["maintenance_window"]["id"])


def submit(runtime: Runtime, key: str) -> Any:
    payload = {"summary": f"{key} is full", "source": "web1", "severity": "critical"}
    alert = {"service": "shop", "event_action": "trigger", "dedup_key": key, "payload": payload}
    [decision] = runtime.alerts.submit(key, [alert]).alerts
    return decision


def test_alerts_are_held_back_by_the_windows_name_and_delivered_when_it_ends(
    world: RestWorld, clock: MovableClock
) -> None:
    runtime = world.wire(FILE)
    now = clock.now()
    window_id = window(world, now, now + HOUR)

    report = runtime.maintenance.refresh()
    held = submit(runtime, "disk")
    runtime.delivery.drain()

    assert (report.windows, report.written, report.ended) == (1, 1, 0)
    assert (held.state, held.reason) == ("suppressed", f"maintenance:pagerduty-{window_id}")
    [silence] = runtime.silences.list()
    assert (silence.source, silence.services, silence.comment, silence.held) == ("pagerduty", ["shop"], "new disks", 1)
    assert silence.author.startswith("PagerDuty")
    assert silence.ends_at - silence.starts_at == pytest.approx(HOUR, abs=timedelta(seconds=2))

    clock.advance(HOUR + timedelta(seconds=2))
    world.sandbox.control("POST", "/clock", {"advance_seconds": 3602})
    assert runtime.alerts.drain_inbox().released == 1
    runtime.delivery.drain()
    assert [one["title"] for one in world.incidents()] == ["disk is full"]


def test_a_window_that_is_ended_there_is_ended_here_and_lets_go_what_it_held(
    world: RestWorld, clock: MovableClock
) -> None:
    runtime = world.wire(FILE)
    window_id = window(world, clock.now(), clock.now() + HOUR)
    runtime.maintenance.refresh()
    submit(runtime, "disk")
    world.ask("DELETE", f"/maintenance_windows/{window_id}")

    report = runtime.maintenance.refresh()
    again = runtime.maintenance.refresh()

    assert (report.windows, report.ended) == (0, 1)
    assert (again.written, again.ended) == (0, 0)
    assert runtime.silences.list() == []
    assert runtime.silences.list(include_ended=True)[0].expired_by == "PagerDuty"
    assert runtime.alerts.drain_inbox().released == 1


def test_a_window_to_come_holds_nothing_yet_and_one_that_is_moved_is_moved_here(
    world: RestWorld, clock: MovableClock
) -> None:
    runtime = world.wire(FILE)
    begins = clock.now() + HOUR
    window_id = window(world, begins, begins + HOUR)
    runtime.maintenance.refresh()
    assert submit(runtime, "disk").state == "queued"
    assert [one.state for one in runtime.silences.list()] == ["pending"]

    later = {
        "end_time": (begins + 3 * HOUR).isoformat(),
        "start_time": begins.isoformat(),
        "type": "maintenance_window",
    }
    services = [{"id": world.service_id, "type": "service_reference"}]
    world.ask("PUT", f"/maintenance_windows/{window_id}", maintenance_window={**later, "services": services})
    report = runtime.maintenance.refresh()

    assert report.written == 1
    [silence] = runtime.silences.list()
    assert silence.ends_at - silence.starts_at == pytest.approx(3 * HOUR, abs=timedelta(seconds=2))


def test_windows_of_other_services_are_nobodys_business(world: RestWorld, clock: MovableClock) -> None:
    runtime = world.wire(FILE)
    policy = world.ask("GET", "/escalation_policies")["escalation_policies"][0]["id"]
    body = {
        "type": "service",
        "name": "other",
        "escalation_policy": {"id": policy, "type": "escalation_policy_reference"},
    }
    other = world.ask("POST", "/services", service=body)["service"]["id"]
    window(world, clock.now(), clock.now() + HOUR, services=[{"id": other, "type": "service_reference"}])

    assert runtime.maintenance.refresh().windows == 0
    assert submit(runtime, "disk").state == "queued"


def test_while_pagerduty_does_not_answer_a_known_window_stays_in_force(world: RestWorld, clock: MovableClock) -> None:
    runtime = world.wire(FILE)
    window(world, clock.now(), clock.now() + HOUR)
    runtime.maintenance.refresh()
    world.sandbox.fault(kind="outage")

    with pytest.raises(TransientError):
        runtime.maintenance.refresh()

    assert submit(runtime, "disk").state == "suppressed"


def test_what_somebody_ends_here_stays_ended(world: RestWorld, clock: MovableClock) -> None:
    runtime = world.wire(FILE)
    window_id = window(world, clock.now(), clock.now() + HOUR)
    runtime.maintenance.refresh()
    runtime.silences.expire(f"pagerduty-{window_id}", "ada")

    report = runtime.maintenance.refresh()

    assert (report.written, report.ended) == (0, 0)
    assert submit(runtime, "disk").state == "queued"


@pytest.mark.parametrize(
    ("file", "environ"),
    [
        (FILE, {"TOCSIN_INCIDENTS__HONOUR_MAINTENANCE": "false"}),
        (FILE, {"PAGERDUTY_API_KEY": ""}),
        (FILE.replace("pagerduty_service_id: SERVICE_ID\n", ""), {}),
    ],
)
def test_windows_that_are_not_honoured_any_more_end_and_pagerduty_is_not_asked(
    world: RestWorld, clock: MovableClock, file: str, environ: dict[str, str]
) -> None:
    window(world, clock.now(), clock.now() + HOUR)
    world.wire(FILE).maintenance.refresh()
    world.sandbox.clear_log()

    report = world.wire(file, **environ).maintenance.refresh()

    assert (report.windows, report.ended) == (0, 1)
    assert world.sandbox.log() == []


def test_the_default_service_may_be_named_by_the_account_settings(world: RestWorld, clock: MovableClock) -> None:
    runtime = world.wire(FILE.replace("pagerduty_service_id: SERVICE_ID\n", ""), PAGERDUTY_SERVICE_ID=world.service_id)
    window(world, clock.now(), clock.now() + HOUR)

    assert runtime.maintenance.refresh().windows == 1
