"""What a sender posts to the gateway, and what PagerDuty gets of it: with an existing PagerDuty key, the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.alerts.acceptance import AlertRules
from tasks.alerts.service import AlertService
from tasks.notifications.channels.protocol import Address
from tasks.notifications.service import Route
from tasks.utils.identifiers import wire_key
from tests.integration.gateway_kit import KEY, running_gateway
from tests.pipeline import DEADLINES, Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from deploy.local.embedded import Server
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

V1 = "/generic/2010-04-15/create_event.json"
WHOLE: dict[str, Any] = {
    "routing_key": KEY,
    "event_action": "trigger",
    "dedup_key": "db-1/disk",
    "payload": {
        "summary": "disk full\r\non db-1",
        "source": "db-1",
        "severity": "warning",
        "timestamp": "2026-01-02T03:04:05.678+0000",
        "component": "disk",
        "group": "db",
        "class": "space",
        "custom_details": {"free": "1 %", "nested": {"list": [1, None, "ä"]}},
        "unknown": "kept",
    },
    "client": "probe",
    "client_url": "http://probe.example",
    "links": [{"href": "http://graph.example", "text": "Graph"}],
    "images": [{"src": "https://img.example/1.png", "alt": "?"}],
    "unknown": {"kept": True},
}


class Door(Pipeline):
    """From a running gateway to the sandbox, where the ingest key is the routing key too."""

    http: httpx.Client

    def ruled_by(self, **rules: Any) -> None:
        self.alerts = AlertService(self.client, self.keys, AlertRules({"web": self.window}, "web", 500, 5, **rules))

    def routes(self) -> dict[str, Route]:
        address = Address("pagerduty", "pagerduty", f"{self.url}/v2/enqueue", {"kid": KEY})
        return {"web": Route([address], DEADLINES)}

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Post, and deliver what was accepted; the gateway's answer."""
        answer = self.http.post(path, json=body)
        answer.raise_for_status()
        self.alerts.drain_inbox()
        self.deliver()
        return answer.json()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def gateway(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running_gateway(server, tmp_path_factory.mktemp("gateway")) as running, running.client() as http:
        yield http


@pytest.fixture
def door(client: Any, keys: Keys, sandbox: Sandbox, gateway: httpx.Client) -> Iterator[Door]:
    sandbox.register(KEY, "Web")
    door = Door(client, keys, sandbox.url)
    door.http = gateway
    yield door
    door.delivery.close()


def test_an_event_arrives_as_it_was_sent_its_unknown_fields_included(door: Door, sandbox: Sandbox) -> None:
    door.post("/v2/enqueue", **WHOLE)

    assert [entry["body"] for entry in sandbox.log()] == [WHOLE]


@pytest.mark.parametrize("key", ["db-1/диск ☎", 'a"b\\c\r\n', "k" * 255, "鍵" * 300])
def test_any_key_is_echoed_whole_and_leads_the_resolve_to_its_alert(door: Door, sandbox: Sandbox, key: str) -> None:
    told = [door.post("/v2/enqueue", **{**WHOLE, "dedup_key": key, "event_action": a}) for a in ("trigger", "resolve")]

    assert [answer["dedup_key"] for answer in told] == [key, key]
    assert [entry["outcome"] for entry in sandbox.log()] == ["opened", "resolved"]
    assert {entry["dedup_key"] for entry in sandbox.log()} == {wire_key(key)}


def test_a_resolve_may_carry_a_whole_payload_for_rules_to_route_by(door: Door, sandbox: Sandbox) -> None:
    door.post("/v2/enqueue", **WHOLE)
    door.post("/v2/enqueue", **{**WHOLE, "event_action": "resolve"})

    assert sandbox.log()[-1]["body"] == {**WHOLE, "event_action": "resolve"}


def test_a_resolve_of_an_odd_severity_resolves(door: Door, sandbox: Sandbox) -> None:
    door.post("/v2/enqueue", **WHOLE)
    odd = {**WHOLE["payload"], "severity": "cleared", "custom_details": "over"}
    door.post("/v2/enqueue", **{**WHOLE, "event_action": "resolve", "payload": odd})

    assert [entry["outcome"] for entry in sandbox.log()] == ["opened", "resolved"]
    assert "payload" not in sandbox.log()[-1]["body"]


def test_a_change_event_arrives_as_it_was_sent(door: Door, sandbox: Sandbox) -> None:
    payload = {"summary": "deployed", "timestamp": "2026-01-02T03:04:05Z", "custom_details": {"build": 7}}
    change = {"routing_key": KEY, "payload": payload, "links": [{"href": "https://ci/7"}]}
    door.post("/v2/change/enqueue", **change)

    [entry] = sandbox.log()
    assert (entry["path"], entry["outcome"], entry["body"]) == ("/v2/change/enqueue", "recorded", change)


def test_an_alert_of_v1_may_be_resolved_by_v2_and_the_other_way_round(door: Door, sandbox: Sandbox) -> None:
    old = {"service_key": KEY, "incident_key": "db-1/disk", "description": "disk full"}

    door.post(V1, **old, event_type="trigger")
    door.post(V1, service_key=KEY, event_type="acknowledge", incident_key="db-1/disk")
    door.post("/v2/enqueue", routing_key=KEY, event_action="resolve", dedup_key="db-1/disk")
    door.post("/v2/enqueue", **WHOLE)
    door.post(V1, **old, event_type="resolve")

    outcomes = ["opened", "acknowledged", "resolved", "opened", "resolved"]
    assert [entry["outcome"] for entry in sandbox.log()] == outcomes
    assert sandbox.log()[0]["body"]["payload"]["severity"] == "critical"
