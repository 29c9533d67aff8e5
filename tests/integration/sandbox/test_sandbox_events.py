from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.kit import KEY, OTHER_KEY, UNKNOWN_KEY, event, statuses

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

THROTTLE_MESSAGE = "Requests for this service are arriving too quickly.  Please retry later."


def errors(sandbox: SandboxProcess, body: object) -> list[str]:
    answer = sandbox.enqueue(body)
    assert answer.status_code == 400
    told = answer.json()
    assert (told["status"], told["message"]) == ("invalid event", "Event object is invalid")
    assert sandbox.last()["outcome"] == "invalid"
    return list(told["errors"])


def test_a_trigger_is_accepted_with_202_and_its_dedup_key(sandbox: SandboxProcess) -> None:
    answer = sandbox.enqueue(event(dedup_key="srv01/HTTP"))

    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Event processed", "dedup_key": "srv01/HTTP"}
    assert answer.headers["content-type"].startswith("application/json")


def test_a_trailing_slash_is_tolerated(sandbox: SandboxProcess) -> None:
    assert sandbox.http.post("/v2/enqueue/", json=event()).status_code == 202


def test_a_trigger_opens_one_incident_on_the_service_of_its_key(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event(summary="disk full on db-1"))

    (incident,) = sandbox.incidents()
    assert incident["title"] == "disk full on db-1"
    assert incident["status"] == "triggered"
    assert incident["service"]["summary"] == "db"


def test_a_repeated_trigger_updates_the_open_alert_and_leaves_the_incidents_title(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event(summary="disk 90 % full"))
    sandbox.enqueue(event(summary="disk 99 % full"))

    (incident,) = sandbox.incidents()
    (alert,) = sandbox.get(f"/incidents/{incident['id']}/alerts")["alerts"]
    assert incident["title"] == "disk 90 % full"
    assert alert["summary"] == "disk 99 % full"
    assert [entry["outcome"] for entry in sandbox.log() if entry["event_action"]] == ["opened", "updated"]


def test_an_acknowledge_acknowledges_and_a_resolve_resolves(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())

    assert sandbox.enqueue(event("acknowledge")).status_code == 202
    assert statuses(sandbox) == ["acknowledged"]
    assert sandbox.enqueue(event("resolve")).status_code == 202
    assert statuses(sandbox) == ["resolved"]


def test_a_trigger_on_an_acknowledged_alert_leaves_it_acknowledged(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())
    sandbox.enqueue(event("acknowledge"))

    sandbox.enqueue(event())

    assert statuses(sandbox) == ["acknowledged"]


def test_a_trigger_after_the_resolve_opens_a_new_incident(sandbox: SandboxProcess) -> None:
    for action in ("trigger", "resolve", "trigger"):
        sandbox.enqueue(event(action))

    assert statuses(sandbox) == ["resolved", "triggered"]


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_an_orphan_is_dropped_silently_with_202(sandbox: SandboxProcess, action: str) -> None:
    assert sandbox.enqueue(event(action)).status_code == 202

    assert sandbox.last()["outcome"] == "dropped"
    assert sandbox.incidents() == []


def test_a_resolve_before_its_trigger_leaves_an_incident_that_never_closes(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event("resolve"))
    sandbox.enqueue(event("trigger"))

    assert statuses(sandbox) == ["triggered"]


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_another_routing_key_cannot_touch_the_alert(sandbox: SandboxProcess, action: str) -> None:
    sandbox.enqueue(event())

    assert sandbox.enqueue(event(action, key=OTHER_KEY)).status_code == 202

    assert sandbox.last()["outcome"] == "dropped"
    assert statuses(sandbox) == ["triggered"]


def test_the_same_dedup_key_under_another_routing_key_is_another_alert(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())
    sandbox.enqueue(event(key=OTHER_KEY))

    assert [one["service"]["summary"] for one in sandbox.incidents()] == ["db", "web"]


def test_every_trigger_without_a_dedup_key_opens_a_new_alert_under_a_new_uuid(sandbox: SandboxProcess) -> None:
    keys = [sandbox.enqueue(event(dedup_key=None)).json()["dedup_key"] for _ in range(2)]

    assert len({uuid.UUID(key) for key in keys}) == 2
    assert statuses(sandbox) == ["triggered", "triggered"]
    assert [entry["dedup_key"] for entry in sandbox.log() if entry["event_action"]] == keys


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_payload_fields_of_an_acknowledge_or_resolve_are_ignored(sandbox: SandboxProcess, action: str) -> None:
    sandbox.enqueue(event())

    answer = sandbox.enqueue({**event(action), "payload": {"severity": "none", "summary": "x" * 2000}})

    assert answer.status_code == 202
    sandbox.watch.skip("the payload is nonsense on purpose")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(
            event(key="short"), ["Length of 'routing_key' is incorrect (should be 32 characters)"], id="key-length"
        ),
        pytest.param(
            event(key="-" * 32), ["'routing_key' cannot contain non-alphanumeric characters."], id="key-characters"
        ),
        pytest.param(
            event(key="e+23"),
            [
                "Length of 'routing_key' is incorrect (should be 32 characters)",
                "'routing_key' cannot contain non-alphanumeric characters.",
            ],
            id="key-both",
        ),
        pytest.param(event(key=UNKNOWN_KEY), ["Invalid routing key"], id="key-unknown"),
        pytest.param({"routing_key": KEY}, ["'event_action' is missing or blank"], id="no-action"),
        pytest.param(
            event(summary="x" * 1025), ["'summary' is too long (maximum is 1024 characters)"], id="long-summary"
        ),
        pytest.param(event(summary="  "), ["'payload.summary' is missing or blank"], id="blank-summary"),
        pytest.param(event(source=None), ["'payload.source' is missing or blank"], id="no-source"),
        pytest.param(event(severity=None), ["'payload.severity' is missing or blank"], id="no-severity"),
        pytest.param(
            event(severity="CRITICAL"),
            ["'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"],
            id="severity",
        ),
        pytest.param(
            event(dedup_key="k" * 256), ["'dedup_key' is too long (maximum is 255 characters)"], id="long-dedup-key"
        ),
        pytest.param(event("resolve", dedup_key=None), ["'dedup_key' is missing or blank"], id="resolve-no-key"),
        pytest.param(event("resolve", dedup_key=""), ["'dedup_key' is missing or blank"], id="resolve-blank-key"),
        pytest.param({**event(), "dedup_key": 7}, ["'dedup_key' should be a string"], id="dedup-key-type"),
        pytest.param({**event(), "payload": []}, ["'payload' is missing or blank"], id="no-payload"),
        pytest.param({**event(), "routing_key": None}, ["'routing_key' is missing or blank"], id="no-key"),
        pytest.param(
            {**event(), "event_action": "shout"},
            ["'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"],
            id="action",
        ),
        pytest.param(
            {**event(), "event_action": ["trigger"]},
            ["'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"],
            id="action-type",
        ),
    ],
)
def test_an_invalid_event_is_refused_by_name(sandbox: SandboxProcess, body: dict[str, Any], told: list[str]) -> None:
    assert errors(sandbox, body) == told
    assert sandbox.incidents() == []


def test_values_at_their_limits_are_accepted(sandbox: SandboxProcess) -> None:
    answer = sandbox.enqueue(event(summary="é" * 1024, dedup_key="k" * 255))

    assert answer.status_code == 202


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"trigger"', b"", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_is_unrecognized(sandbox: SandboxProcess, raw: bytes) -> None:
    answer = sandbox.http.post("/v2/enqueue", content=raw)

    assert answer.status_code == 400
    assert answer.json() == {
        "status": "Unrecognized object",
        "message": "Event object format is unrecognized",
        "errors": ["JSON parse error"],
    }


def test_an_event_over_512_kb_is_refused_and_one_just_under_is_not(sandbox: SandboxProcess) -> None:
    assert sandbox.enqueue(event(custom_details={"dump": "x" * 511_000})).status_code == 202
    assert errors(sandbox, event(custom_details={"dump": "x" * 512_000})) == ["Event is too large (maximum is 512 KB)"]


def test_the_121st_event_of_a_minute_is_throttled_and_not_ingested(sandbox: SandboxProcess) -> None:
    for number in range(120):
        assert sandbox.enqueue(event(dedup_key=f"k{number}")).status_code == 202

    answer = sandbox.enqueue(event(dedup_key="one too many"))

    assert answer.status_code == 429
    assert answer.json() == {
        "status": "throttle exceeded",
        "message": THROTTLE_MESSAGE,
        "errors": ["Enhance Your Calm."],
    }
    assert "retry-after" not in answer.headers
    assert sandbox.last()["outcome"] == "throttled"
    assert sandbox.get("/incidents", total="true", limit=100)["total"] == 120


def test_the_limit_is_per_key_and_slides_over_60_seconds(sandbox: SandboxProcess) -> None:
    for number in range(60):
        sandbox.enqueue(event(dedup_key=f"early{number}"))
    sandbox.advance(40)
    for number in range(60):
        sandbox.enqueue(event(dedup_key=f"late{number}"))

    assert sandbox.enqueue(event()).status_code == 429
    assert sandbox.enqueue(event(key=OTHER_KEY)).status_code == 202
    sandbox.advance(20.5)
    assert [sandbox.enqueue(event(dedup_key=f"next{number}")).status_code for number in range(61)] == [202] * 60 + [429]


def test_bad_events_count_towards_the_limit(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/limits", {"events_per_minute": 1})

    assert errors(sandbox, event(summary=""))
    assert sandbox.enqueue(event()).status_code == 429


def test_a_get_on_enqueue_is_not_allowed(sandbox: SandboxProcess) -> None:
    assert sandbox.http.get("/v2/enqueue").status_code == 405
