"""The two other doors of PagerDuty's Events API: change events, and Events v1."""

from typing import Any

import httpx
import pytest

from deploy.local.embedded import Server
from tests.integration.gateway_kit import (
    KEY,
    ORCHESTRATED_KEY,
    ORCHESTRATION_KEY,
    TRIGGER,
    rows,
)

EVENTS, CHANGES, V1 = "/v2/enqueue", "/v2/change/enqueue", "/generic/2010-04-15/create_event.json"
CHANGE: dict[str, Any] = {"routing_key": KEY, "payload": {"summary": "deployed", "source": "ci"}}
EVENT_V1: dict[str, Any] = {"service_key": KEY, "event_type": "trigger", "description": "disk full"}


def is_pagerdutys_shape(answer: httpx.Response) -> bool:
    body = answer.json()
    return {"status", "message", "errors"} == set(body) and all(isinstance(error, str) for error in body["errors"])


def test_a_change_event_is_a_row_without_a_key(http: httpx.Client, server: Server) -> None:
    body = {**CHANGE, "links": [{"href": "https://ci/7"}], "extra": "kept", "dedup_key": "of no use"}

    answer = http.post(CHANGES + "/", json=body)

    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Change event processed"}
    assert rows(server) == [
        {
            "service": "web",
            "event_action": "change",
            "payload": CHANGE["payload"],
            "links": [{"href": "https://ci/7"}],
            "extra": "kept",
        }
    ]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (ORCHESTRATION_KEY, "the key of an event orchestration"),
        (ORCHESTRATED_KEY, "give it a channel with the key"),
        ("d4" * 16, "no service takes events under it"),
        ("", "'routing_key' is missing"),
    ],
)
def test_a_change_event_that_pagerduty_would_not_take_is_refused_at_the_door(
    http: httpx.Client, server: Server, key: str, told: str
) -> None:
    answer = http.post(CHANGES, json={**CHANGE, "routing_key": key})

    assert answer.status_code == 400
    assert is_pagerdutys_shape(answer)
    assert told in answer.json()["errors"][0]
    assert rows(server) == []


def test_an_alert_under_an_orchestrations_key_is_taken(http: httpx.Client) -> None:
    assert http.post(EVENTS, json={**TRIGGER, "routing_key": ORCHESTRATION_KEY}).status_code == 202


@pytest.mark.parametrize("payload", [None, {}, {"summary": " "}, "deployed"])
def test_a_change_event_without_a_summary_is_refused(http: httpx.Client, payload: Any) -> None:
    answer = http.post(CHANGES, json={"routing_key": KEY, "payload": payload})

    assert answer.status_code == 400


@pytest.mark.parametrize(("path", "body", "field"), [(EVENTS, TRIGGER, "event_action"), (V1, EVENT_V1, "event_type")])
def test_a_change_event_at_a_door_for_alerts_is_sent_to_its_own(
    http: httpx.Client, path: str, body: dict[str, Any], field: str
) -> None:
    answer = http.post(path, json={**body, field: "change"})

    assert answer.status_code == 400
    assert CHANGES in answer.json()["errors"][0]


def test_an_event_of_v1_is_the_alert_it_would_be_in_v2(http: httpx.Client, server: Server) -> None:
    contexts = [
        {"type": "link", "href": "http://graph", "text": "Graph"},
        {"type": "image", "src": "https://img", "alt": "?"},
        {"type": "odd"},
        5,
    ]
    body = {
        **EVENT_V1,
        "incident_key": "db-1/диск",
        "details": {"free": "1 %", "severity": "Minor"},
        "client": "Probe",
        "client_url": "http://probe",
        "contexts": contexts,
        "extra": "kept",
    }

    answer = http.post(V1, json=body)

    assert answer.status_code == 200
    assert answer.json() == {"status": "success", "message": "Event processed", "incident_key": "db-1/диск"}
    assert rows(server) == [
        {
            "service": "web",
            "event_action": "trigger",
            "dedup_key": "db-1/диск",
            "payload": {
                "summary": "disk full",
                "source": "Probe",
                "severity": "warning",
                "custom_details": {"free": "1 %", "severity": "Minor"},
            },
            "client": "Probe",
            "client_url": "http://probe",
            "links": [{"href": "http://graph", "text": "Graph"}],
            "images": [{"src": "https://img", "alt": "?"}],
            "extra": "kept",
        }
    ]


def test_a_trigger_of_v1_without_a_key_is_given_a_unique_one(http: httpx.Client, server: Server) -> None:
    given = [http.post(V1, json={**EVENT_V1, "incident_key": key}).json()["incident_key"] for key in (None, "")]

    assert len(set(given)) == 2
    assert [alert["dedup_key"] for alert in rows(server)] == given


@pytest.mark.parametrize("kind", ["acknowledge", "resolve"])
def test_v1_acknowledges_and_resolves_by_the_key_alone(http: httpx.Client, server: Server, kind: str) -> None:
    answer = http.post(V1, json={"service_key": KEY, "event_type": kind, "incident_key": "disk"})

    assert (answer.status_code, answer.json()["message"]) == (200, "Event processed")
    assert (rows(server)[0]["event_action"], rows(server)[0]["dedup_key"]) == (kind, "disk")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"service_key": None}, "'service_key' is missing"),
        ({"service_key": "d4" * 16}, "Invalid service key"),
        ({"event_type": "shout"}, "'event_type' is unknown"),
        ({"event_type": "resolve"}, "'incident_key' is missing"),
        ({"incident_key": 5}, "'incident_key' must be text"),
        ({"description": ""}, "'description' is missing"),
    ],
)
def test_v1_refuses_in_its_own_words(http: httpx.Client, changes: dict[str, Any], told: str) -> None:
    answer = http.post(V1, json={**EVENT_V1, **changes})

    assert answer.status_code == 400
    assert is_pagerdutys_shape(answer)
    assert told in answer.json()["errors"][0]


@pytest.mark.parametrize("details", [None, "text", [1], {"severity": ["x"]}, {}])
def test_any_details_of_v1_will_do(http: httpx.Client, server: Server, details: Any) -> None:
    assert http.post(V1, json={**EVENT_V1, "details": details}).status_code == 200
    assert rows(server)[0]["payload"]["severity"] == "critical"
