"""Every call that changes something, and every refusal, is one act on record before it is answered."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tasks.audit.act_filter import ActFilter
from tasks.audit.act_models import ActView
from tests.integration.api.kit import Api, bury, submit
from workers.gateway.api.acts import ACTIONS, UNRECORDED

Asked = Callable[[Api, httpx.Client], httpx.Response]
SILENCE = {"matchers": ["severity=info"], "duration_seconds": 3600, "comment": "secret plans of anna"}


def made(http: httpx.Client, path: str) -> str:
    return str(http.post(path, json=SILENCE).json()["id"])


# How to call each operation that changes something: well, and so that it fails.
CALLS: dict[str, tuple[Asked, Asked]] = {
    "pauseSchedule": (
        lambda _, http: http.post("/schedules/ledger-seal/pause", json={"comment": "disk swap"}),
        lambda _, http: http.post("/schedules/ledger-seal/pause", json={}),
    ),
    "resumeSchedule": (
        lambda _, http: http.post("/schedules/ledger-seal/resume"),
        lambda _, http: http.post("/schedules/nothing/resume"),
    ),
    "createSilence": (
        lambda _, http: http.post("/silences", json=SILENCE),
        lambda _, http: http.post("/silences", json={**SILENCE, "matchers": ["rubbish"]}),
    ),
    "expireSilence": (
        lambda _, http: http.delete(f"/silences/{made(http, '/silences')}"),
        lambda _, http: http.delete("/silences/nothing"),
    ),
    "createMaintenanceWindow": (
        lambda _, http: http.post("/maintenance-windows", json=SILENCE),
        lambda _, http: http.post("/maintenance-windows", json={"comment": 7}),
    ),
    "expireMaintenanceWindow": (
        lambda _, http: http.delete(f"/maintenance-windows/{made(http, '/maintenance-windows')}"),
        lambda _, http: http.delete("/maintenance-windows/nothing"),
    ),
    "replayDeadLetter": (
        lambda api, http: http.post(f"/dead-letters/{bury(api, 'k')[0]}/replay"),
        lambda _, http: http.post("/dead-letters/nothing/replay"),
    ),
    "replayDeadLetters": (
        lambda _, http: http.post("/dead-letters/replay", json={"where": {}}),
        lambda _, http: http.post("/dead-letters/replay", json={"which": {}}),
    ),
    "dropDeadLetter": (
        lambda api, http: http.post(f"/dead-letters/{bury(api, 'k')[0]}/drop", json={"comment": "gone"}),
        lambda _, http: http.post("/dead-letters/nothing/drop", json={"comment": "gone"}),
    ),
    "revokeTokens": (
        lambda _, http: http.post("/revocations", json={"subject": "mallory", "comment": "left us"}),
        lambda _, http: http.post("/revocations", json={"comment": "left us"}),
    ),
    "purgeDeadLetters": (
        lambda _, http: http.post(
            "/dead-letters/purge", json={"where": {}, "older_than_seconds": 60, "comment": "old"}
        ),
        lambda _, http: http.post("/dead-letters/purge", json={}),
    ),
}


def acts(api: Api, **wanted: Any) -> list[ActView]:
    found = api.runtime.act_archive.read(ActFilter(**wanted))
    return [act for act in found if act.action != "api.log_in"]


def operations(http: httpx.Client) -> dict[str, str]:
    """Every operation by its id, with its method."""
    paths = http.get("/openapi.json").json()["paths"]
    return {each["operationId"]: method for path in paths.values() for method, each in path.items()}


def test_every_operation_that_is_no_get_is_on_record_or_said_to_change_nothing(http: httpx.Client) -> None:
    changing = {name for name, method in operations(http).items() if method != "get"}

    assert changing == set(ACTIONS) | UNRECORDED
    assert set(CALLS) == set(ACTIONS)


@pytest.mark.parametrize("operation", CALLS)
def test_a_call_that_changes_something_is_exactly_one_act(api: Api, http: httpx.Client, operation: str) -> None:
    answer = CALLS[operation][0](api, http)

    assert answer.status_code < 300, answer.text
    found = acts(api, action=ACTIONS[operation])
    assert [(act.outcome, act.actor_kind, act.actor, act.origin) for act in found] == [
        ("ok", "token", "anna", "127.0.0.1")
    ]
    assert found[0].correlation == answer.headers["x-request-id"]
    assert found[0].detail["status"] == answer.status_code


@pytest.mark.parametrize("operation", CALLS)
def test_a_call_that_fails_is_one_act_that_failed(api: Api, http: httpx.Client, operation: str) -> None:
    answer = CALLS[operation][1](api, http)

    assert 400 <= answer.status_code < 500, answer.text
    assert [(act.action, act.outcome) for act in acts(api)] == [(ACTIONS[operation], "failed")]


@pytest.mark.parametrize("operation", CALLS)
def test_a_call_the_token_does_not_allow_is_one_act_that_was_denied(api: Api, operation: str) -> None:
    with api.client("viewer", subject="eve") as http:
        answer = CALLS[operation][1](api, http)

    assert answer.status_code == 403
    (act,) = awaited(api)
    assert (act.action, act.object, act.outcome) == ("api.denied", f"operation/{operation}", "denied")
    assert (act.actor, act.correlation) == ("eve", answer.headers["x-request-id"])


def test_the_object_and_the_given_fields_are_named_and_no_content(api: Api, http: httpx.Client) -> None:
    name = made(http, "/silences")

    (act,) = acts(api)

    assert act.object == f"silence/{name}"
    assert act.detail["given"] == ["comment", "duration_seconds", "matchers"]
    assert "secret plans" not in str(api.runtime.client.xrange(api.runtime.keys.acts))


def test_a_call_without_a_good_token_is_denied_to_a_stranger(api: Api) -> None:
    token = "eyJhbGciOi.eyJzdWIiOiJyb290In0.c2lnbmF0dXJl"
    with httpx.Client(base_url=f"{api.gateway.url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as http:
        assert http.get("/alerts").status_code == 401

    (act,) = awaited(api)
    assert (act.action, act.object, act.actor_kind) == ("api.denied", "operation/GET /alerts", "stranger")
    assert token not in str(api.runtime.client.xrange(api.runtime.keys.acts))


def test_an_unknown_ingest_key_is_denied_and_an_attack_leaves_a_handful_of_entries(api: Api) -> None:
    with httpx.Client(base_url=api.gateway.url) as http:
        for number in range(200):
            body = {"routing_key": f"{number:032}", "event_action": "trigger", "payload": {"summary": "x"}}
            assert http.post("/v2/enqueue", json=body).status_code == 400
        for _ in range(20):
            wrong = {"Authorization": f"Bearer {'b' * 32}"}
            assert http.post("/webhooks/alertmanager", json={}, headers=wrong).status_code == 403

    found = awaited(api, 2)
    assert {act.object for act in found} >= {"door/v2/enqueue", "door/webhooks/alertmanager"}
    assert len(found) <= 3


def test_the_first_use_of_a_token_from_an_address_is_a_log_in(api: Api) -> None:
    with api.client("viewer", subject="a-new-face") as http:
        for _ in range(3):
            http.get("/alerts")
        submit(http)

    found = [act for act in api.runtime.act_archive.read(ActFilter(actor="a-new-face")) if act.outcome == "ok"]
    assert [(act.action, act.object, act.origin) for act in found] == [
        ("api.log_in", "subject/a-new-face", "127.0.0.1")
    ]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-123", True), ("0af7651916cd43dd8448eb211c80319c", True), ("with blanks", False), ("x" * 101, False)],
)
def test_a_request_id_is_taken_over_where_it_is_one(api: Api, http: httpx.Client, given: str, kept: bool) -> None:  # noqa: FBT001
    answer = http.post("/silences", json=SILENCE, headers={"X-Request-Id": given})

    (act,) = acts(api)
    assert act.correlation == answer.headers["x-request-id"]
    assert (act.correlation == given) is kept


def test_looking_and_dry_runs_leave_no_act(api: Api, http: httpx.Client) -> None:
    http.get("/silences")
    http.post("/silences/preview", json=SILENCE)
    http.post("/dead-letters/replay", json={"where": {}, "dry_run": True})
    http.post("/alerts", json={"alerts": [{"event_action": "trigger", "payload": {"summary": "x"}}]})

    assert acts(api) == []


def test_who_calls_an_act_a_dry_run_that_is_none_is_on_record(api: Api, http: httpx.Client) -> None:
    letter, name = bury(api, "k")[0], made(http, "/silences")

    http.post(f"/dead-letters/{letter}/replay", json={"dry_run": True})
    http.request("DELETE", f"/silences/{name}", json={"dry_run": True})
    http.post("/schedules/ledger-seal/resume", json={"dry_run": True})

    wanted = ["notifications.replay", "silences.expire", "schedules.resume"]
    assert [act.action for act in acts(api)][1:] == wanted


def awaited(api: Api, count: int = 1) -> list[ActView]:
    """The acts, once there are so many: refusals are written down beside the answer."""
    until = time.monotonic() + 5
    while len(found := acts(api, outcome="denied")) < count and time.monotonic() < until:
        time.sleep(0.02)
    return found


def test_the_record_is_read_with_a_scope_of_its_own(api: Api, http: httpx.Client) -> None:
    made(http, "/silences")

    found = http.get("/acts", params={"action": "silences.*", "outcome": "ok", "limit": 1}).json()["acts"]
    with api.client("operator") as other:
        refused = other.get("/acts")

    assert [(act["action"], act["actor"], act["source"]) for act in found] == [("silences.create", "anna", "tocsin")]
    assert refused.status_code == 403
    assert "audit:read" in refused.text


@pytest.mark.parametrize(
    "asked",
    [{"since": "0001-01-01T00:00:00Z"}, {"until": "soon"}, {"outcome": "fine"}, {"limit": 0}, {"actor": "x" * 201}],
    ids=str,
)
def test_a_question_about_acts_that_cannot_be_meant_is_refused(http: httpx.Client, asked: dict[str, Any]) -> None:
    assert http.get("/acts", params=asked).status_code == 400
