"""What webhooks do not say is asked for, many with one call, on the sandbox's REST half."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import load
from tasks.runtime import Runtime
from tasks.utils.identifiers import alert_uid
from tests.acceptance.routed import send
from tests.pipeline import alert
from tests.webhook_kit import incident_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

KEYS = {"shop": "sandboxshop".ljust(32, "0"), "solo": "sandboxsolo".ljust(32, "0")}
HEADERS = {"Authorization": "Token token=" + "a" * 20, "From": "ann@example.org"}


@pytest.fixture
def runtime(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[Runtime]:
    for name, key in KEYS.items():
        sandbox.register(key, name)
        file = tmp_path / "services" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"channels: [{{name: page, routing_key: {key}}}]\n")
    environ = {
        "HOME": str(tmp_path),
        "REDIS_URL": server.url,
        "TOCSIN_STATE_DIR": str(tmp_path / "state"),
        "TOCSIN_DEFAULT_SERVICE": "shop",
        "PAGERDUTY_EVENTS_URL": sandbox.url,
        "PAGERDUTY_API_URL": sandbox.url,
        "PAGERDUTY_API_KEY": "a" * 20,
    }
    runtime = Runtime(load(environ=environ, config_dir=tmp_path))
    yield runtime
    runtime.delivery.close()
    runtime.rest.close()
    runtime.errors.flush()


def incidents(sandbox: Sandbox) -> list[dict[str, Any]]:
    return sorted(sandbox.incidents(), key=lambda one: int(one["incident_number"]))


def webhook_of(incident: dict[str, Any], kind: str = "triggered") -> dict[str, Any]:
    """A webhook about an incident that does not name its key, as PagerDuty sends where an incident has alerts."""
    document = incident_event(kind, incident["incident_number"], None, datetime.now(UTC))
    document["event"]["data"] |= {
        "id": incident["id"],
        "created_at": incident["created_at"],
        "service": {"id": incident["service"]["id"], "type": "service_reference"},
    }
    return document


def settle(runtime: Runtime, clock: MovableClock, seconds: float = 2) -> Any:
    clock.advance(timedelta(seconds=seconds))
    return runtime.webhooks.processor.process()


def status(runtime: Runtime, key: str, service: str = "shop") -> str:
    runtime.alerts.drain_inbox()
    return runtime.current.get(alert_uid(service, key)).status


def test_an_incident_whose_webhook_names_no_key_is_found_by_asking(
    runtime: Runtime, sandbox: Sandbox, clock: MovableClock, client: Any
) -> None:
    send(runtime, alert("disk"))
    [incident] = incidents(sandbox)

    first = runtime.webhooks.processor.process([webhook_of(incident, "acknowledged")])
    second = settle(runtime, clock)

    assert (first.parked, second.looked_up) == (1, 1)
    assert runtime.current.get(alert_uid("shop", "disk")).incidents[0].id == incident["id"]
    assert client.zcard(runtime.keys.parked_incidents) == client.zcard(runtime.keys.lookups) == 0


def test_many_incidents_are_found_with_few_calls(runtime: Runtime, sandbox: Sandbox, clock: MovableClock) -> None:
    send(runtime, *(alert(f"n{number}") for number in range(60)))

    runtime.webhooks.processor.process([webhook_of(one, "acknowledged") for one in incidents(sandbox)])
    report = settle(runtime, clock)

    assert report.looked_up == 60
    assert {status(runtime, f"n{number}") for number in range(60)} == {"acknowledged"}


def test_what_pagerduty_does_not_show_yet_is_asked_for_again(
    runtime: Runtime, sandbox: Sandbox, clock: MovableClock
) -> None:
    send(runtime, alert("disk"))
    [incident] = incidents(sandbox)
    sandbox.fault(kind="error", status=503, path="/incidents")
    runtime.webhooks.processor.process([webhook_of(incident)])
    assert settle(runtime, clock).looked_up == 0
    assert runtime.current.get(alert_uid("shop", "disk")).incidents == []

    sandbox.heal()
    assert settle(runtime, clock, 90).looked_up == 1
    assert runtime.current.get(alert_uid("shop", "disk")).incidents[0].id == incident["id"]


def test_two_services_with_one_dedup_key_are_told_apart_by_their_integrations(
    runtime: Runtime, sandbox: Sandbox, clock: MovableClock
) -> None:
    send(runtime, alert("disk"), {**alert("disk"), "service": "solo"})
    solo = next(one for one in incidents(sandbox) if one["service"]["summary"] == "solo")

    runtime.webhooks.processor.process([webhook_of(solo, "acknowledged")])
    settle(runtime, clock)

    assert status(runtime, "disk", "solo") == "acknowledged"
    assert status(runtime, "disk", "shop") == "open"


def test_what_no_webhook_told_is_read_from_the_log(runtime: Runtime, sandbox: Sandbox) -> None:
    for key in ("disk", "cpu"):
        send(runtime, alert(key))
    disk, cpu = incidents(sandbox)
    for incident, then in ((disk, "acknowledged"), (cpu, "acknowledged"), (cpu, "resolved")):
        body = {"incident": {"type": "incident", "status": then}}
        sandbox.http.put(f"/incidents/{incident['id']}", json=body, headers=HEADERS).raise_for_status()

    report = runtime.webhooks.catch_up.run()
    again = runtime.webhooks.catch_up.run()

    assert report.missing == again.missing == ""
    assert (report.entries >= 5, report.changes, again.changes) == (True, 5, 0)
    assert (status(runtime, "disk"), status(runtime, "cpu")) == ("acknowledged", "resolved")


def test_without_a_key_nobody_asks_and_the_reason_is_said(
    client: Any, server: Server, tmp_path: Path, sandbox: Sandbox
) -> None:
    environ = {
        "HOME": str(tmp_path),
        "REDIS_URL": server.url,
        "TOCSIN_STATE_DIR": str(tmp_path),
        "PAGERDUTY_API_URL": sandbox.url,
    }
    runtime = Runtime(load(environ=environ))

    assert "pagerduty.api_key" in runtime.webhooks.catch_up.run().missing
    assert "pagerduty.api_key" in runtime.webhooks.subscriptions.check().missing
    assert runtime.webhooks.processor.process([incident_event(key=None)]).parked == 1
    assert client.zcard(runtime.keys.lookups) == 0
