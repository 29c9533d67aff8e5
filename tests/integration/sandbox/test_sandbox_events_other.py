"""Events v1 and change events: the other two ways in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.kit import KEY, UNKNOWN_KEY, event, statuses

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess


def test_a_change_event_is_accepted_and_opens_nothing(sandbox: SandboxProcess) -> None:
    answer = sandbox.http.post("/v2/change/enqueue", json={"routing_key": KEY, "payload": {"summary": "deployed"}})

    assert answer.status_code == 202
    assert answer.json()["status"] == "success"
    assert sandbox.last()["outcome"] == "recorded"
    assert sandbox.incidents() == []


def test_a_change_event_under_an_orchestrations_key_is_refused(sandbox: SandboxProcess) -> None:
    orchestration_key = "R" * 32
    sandbox.control("POST", "/keys", {"key": orchestration_key, "service": "db"})
    body = {"routing_key": orchestration_key, "payload": {"summary": "deployed"}}

    answer = sandbox.http.post("/v2/change/enqueue", json=body)

    assert answer.status_code == 400
    assert answer.json()["errors"] == ["Invalid routing key"]
    assert sandbox.enqueue(event(key=orchestration_key)).status_code == 202


def test_a_change_event_needs_a_summary(sandbox: SandboxProcess) -> None:
    answer = sandbox.http.post("/v2/change/enqueue", json={"routing_key": KEY})

    assert answer.json()["errors"] == ["'payload.summary' is missing or blank"]


def v1(kind: str = "trigger", **fields: object) -> dict[str, object]:
    return {"service_key": KEY, "event_type": kind, "incident_key": "disk", "description": "disk full", **fields}


def create_event(sandbox: SandboxProcess, body: object) -> tuple[int, dict[str, Any]]:
    answer = sandbox.http.post("/generic/2010-04-15/create_event.json", json=body)
    return answer.status_code, answer.json()


def test_events_v1_answers_200_with_the_incident_key(sandbox: SandboxProcess) -> None:
    told = create_event(sandbox, v1())

    assert told == (200, {"status": "success", "message": "Event processed", "incident_key": "disk"})
    assert statuses(sandbox) == ["triggered"]


def test_events_v1_and_v2_speak_of_the_same_alerts(sandbox: SandboxProcess) -> None:
    create_event(sandbox, v1(details={"free": "1 %"}, contexts=[{"type": "link", "href": "http://graph"}]))

    sandbox.enqueue(event("acknowledge", dedup_key="disk"))
    assert statuses(sandbox) == ["acknowledged"]
    create_event(sandbox, v1("resolve"))
    assert statuses(sandbox) == ["resolved"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (v1(description="x" * 1025), "Description is too long (maximum is 1024 characters)"),
        (v1(description=""), "Description is missing or blank"),
        (v1(service_key="short"), "Service key is the wrong length (should be 32 characters)"),
        (v1(service_key=UNKNOWN_KEY), "Invalid routing key"),
        (v1("shout"), "Event type is missing or invalid"),
        (v1("resolve", incident_key=None), "Incident key is missing or blank"),
        (v1(incident_key="k" * 256), "Incident key is too long (maximum is 255 characters)"),
    ],
)
def test_events_v1_refuses_in_its_own_words(sandbox: SandboxProcess, body: dict[str, object], told: str) -> None:
    status, answer = create_event(sandbox, body)

    assert (status, answer["errors"]) == (400, [told])


def test_events_v1_says_403_when_it_throttles(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/limits", {"events_per_minute": 1})
    create_event(sandbox, v1())

    assert create_event(sandbox, v1())[0] == 403
    assert sandbox.last()["outcome"] == "throttled"
