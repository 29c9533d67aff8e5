"""What is done to an incident stands in the story of the alert it belongs to, and the proof holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.alerts.of_incidents import OurAlerts
from tasks.incidents.wishes import wish_of
from tasks.webhooks.incidents import observation_of
from tests.acceptance.rest_world import RestWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox

KEY = "sandboxshop000000000000000000001"
FILE = f"channels:\n  - {{name: page, routing_key: {KEY}}}\n"


@pytest.fixture
def world(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[RestWorld]:
    world = RestWorld(tmp_path, server.url, sandbox)
    sandbox.register(KEY, "shop")
    yield world
    world.close()


def test_an_alert_tells_who_acted_on_its_incident_and_an_incident_whose_alert_it_is(world: RestWorld) -> None:
    runtime = world.wire(FILE)
    payload = {"summary": "disk is full", "source": "web1", "severity": "critical"}
    alert = {"service": "shop", "event_action": "trigger", "dedup_key": "disk", "payload": payload}
    runtime.alerts.submit("m1", [alert])
    runtime.delivery.drain()
    [incident] = world.incidents()
    ours = OurAlerts(runtime.client, runtime.keys, runtime.current)
    by_key = ours.of(incident["id"], ["disk"])
    runtime.answers.observe(observation_of(incident, ["disk"]))

    runtime.incidents.service.act("r1", wish_of("acknowledge", "disk", author="ada"))

    [trail] = runtime.audit.trails("disk", ["shop"])
    assert f"acknowledged in PagerDuty by Tocsin: incident {incident['id']} by ada" in [
        step.text for step in trail.steps
    ]
    assert [view.dedup_key for view in by_key] == [view.dedup_key for view in ours.of(incident["id"], [])] == ["disk"]
    assert runtime.alerts.drain_inbox().drained == 1  # the acknowledge goes the way of all news, without a webhook
    [alert_now] = runtime.current.unresolved()
    assert alert_now.status == "acknowledged"
    runtime.delivery.drain()
    runtime.audit.seal()
    assert runtime.audit.prove().holds
