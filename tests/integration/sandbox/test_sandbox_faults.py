from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.sandbox.kit import KEY, OTHER_KEY, TOKEN, event

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

BROKEN = (httpx.ReadError, httpx.RemoteProtocolError)


def test_throttle_answers_429_without_headers_and_ingests_nothing(sandbox: SandboxProcess) -> None:
    sandbox.fault("throttle")

    answer = sandbox.enqueue(event())

    assert answer.status_code == 429
    assert answer.json()["errors"] == ["Enhance Your Calm."]
    assert not {"retry-after", "ratelimit-reset"} & set(answer.headers)
    assert (sandbox.last()["outcome"], sandbox.last()["fault"]) == ("throttled", "throttle")
    assert sandbox.control("GET", "/state")["incidents"]["open"] == 0


def test_throttle_with_headers_says_when_to_come_back(sandbox: SandboxProcess) -> None:
    sandbox.fault("throttle", headers=True)

    assert sandbox.enqueue(event()).headers["retry-after"] == "30"


def test_a_throttled_rest_call_has_headers_unless_the_fault_takes_them(sandbox: SandboxProcess) -> None:
    first = sandbox.fault("throttle", path="/incidents")
    usual = sandbox.http.get("/incidents", headers=TOKEN)
    sandbox.control("DELETE", f"/faults/{first}")
    sandbox.fault("throttle", path="/incidents", headers=False)
    bare = sandbox.http.get("/incidents", headers=TOKEN)

    assert (usual.status_code, usual.headers["ratelimit-remaining"]) == (429, "0")
    assert usual.json()["error"]["code"] == 2020
    assert (bare.status_code, bare.content) == (429, b"")
    assert "ratelimit-reset" not in bare.headers


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_error_answers_the_given_status_and_ingests_nothing(sandbox: SandboxProcess, status: int) -> None:
    sandbox.fault("error", status=status)

    assert sandbox.enqueue(event()).status_code == status
    assert sandbox.last()["outcome"] == "failed"
    assert sandbox.control("GET", "/state")["incidents"]["open"] == 0


def test_error_may_hit_after_the_event_was_taken(sandbox: SandboxProcess) -> None:
    sandbox.fault("error", status=502, ingest=True, body="<html>Bad Gateway</html>")

    answer = sandbox.enqueue(event())

    assert (answer.status_code, answer.text) == (502, "<html>Bad Gateway</html>")
    assert sandbox.last()["outcome"] == "opened"


def test_slow_takes_the_event_at_once_and_answers_late(sandbox: SandboxProcess) -> None:
    sandbox.fault("slow", delay_seconds=0.2)

    answer = sandbox.enqueue(event())

    assert answer.status_code == 202
    entry = sandbox.last()
    assert entry["ended_at"] - entry["at"] >= 0.19  # it waits by another clock than it notes times by
    assert entry["outcome"] == "opened"


def test_a_client_that_gives_up_on_a_slow_answer_has_sent_its_event_all_the_same(sandbox: SandboxProcess) -> None:
    sandbox.fault("slow", delay_seconds=60)

    with httpx.Client(base_url=sandbox.url, trust_env=False) as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.post("/v2/enqueue", json=event(), timeout=0.1)

    entry = sandbox.last()
    assert (entry["outcome"], entry["ended_at"]) == ("opened", None)


def test_reset_breaks_the_connection_without_an_answer(sandbox: SandboxProcess) -> None:
    sandbox.fault("reset", count=1)

    with pytest.raises(httpx.ReadError):
        sandbox.enqueue(event())

    assert (sandbox.last()["status"], sandbox.last()["outcome"]) == (0, "failed")
    assert sandbox.enqueue(event()).status_code == 202


def test_reset_may_hit_after_the_event_was_taken(sandbox: SandboxProcess) -> None:
    sandbox.fault("reset", count=1, ingest=True)

    with pytest.raises(httpx.ReadError):
        sandbox.enqueue(event())

    assert sandbox.last()["outcome"] == "opened"


def test_truncated_takes_the_event_and_breaks_off_in_the_answer(sandbox: SandboxProcess) -> None:
    sandbox.fault("truncated", count=1)

    with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without sending complete"):
        sandbox.enqueue(event())

    assert (sandbox.last()["status"], sandbox.last()["outcome"]) == (202, "opened")


def test_an_outage_refuses_everything_but_the_control_api_for_its_time(sandbox: SandboxProcess) -> None:
    sandbox.fault("outage", seconds=60)

    with pytest.raises(BROKEN):
        sandbox.enqueue(event())
    with pytest.raises(BROKEN):
        sandbox.http.get("/incidents", headers=TOKEN)
    sandbox.advance(61)
    assert sandbox.enqueue(event()).status_code == 202
    assert sandbox.control("GET", "/faults") == {"faults": []}


def test_an_outage_with_a_status_answers_it(sandbox: SandboxProcess) -> None:
    sandbox.fault("outage", status=503)

    assert sandbox.enqueue(event()).status_code == 503


def test_swallow_answers_202_and_no_incident_appears(sandbox: SandboxProcess) -> None:
    sandbox.fault("swallow", count=2)

    named, unnamed = sandbox.enqueue(event()), sandbox.enqueue(event(dedup_key=None))

    assert (named.status_code, named.json()["dedup_key"]) == (202, "disk/db-1")
    assert unnamed.json()["dedup_key"]
    assert [entry["outcome"] for entry in sandbox.log()] == ["swallowed", "swallowed"]
    assert sandbox.incidents() == []


def test_swallow_works_for_v1_and_leaves_reads_alone(sandbox: SandboxProcess) -> None:
    sandbox.fault("swallow")
    body = {"service_key": KEY, "event_type": "trigger", "description": "disk full"}

    assert sandbox.http.post("/generic/2010-04-15/create_event.json", json=body).json()["incident_key"]
    assert sandbox.incidents() == []


def test_reject_answers_the_given_4xx_and_body(sandbox: SandboxProcess) -> None:
    body = {"status": "invalid event", "message": "Event object is invalid", "errors": ["Invalid routing key"]}
    sandbox.fault("reject", status=403, body=body)

    answer = sandbox.enqueue(event())

    assert (answer.status_code, answer.json()) == (403, body)
    assert sandbox.last()["outcome"] == "invalid"


def test_reject_makes_up_a_body_in_the_apis_shape(sandbox: SandboxProcess) -> None:
    sandbox.fault("reject")

    assert sandbox.enqueue(event()).json()["status"] == "invalid event"
    assert sandbox.http.get("/incidents", headers=TOKEN).json()["error"]["message"]


def test_a_fault_may_concern_one_routing_key_only(sandbox: SandboxProcess) -> None:
    sandbox.fault("throttle", key=KEY)

    assert sandbox.enqueue(event()).status_code == 429
    assert sandbox.enqueue(event(key=OTHER_KEY)).status_code == 202


def test_a_fault_may_concern_one_path_only(sandbox: SandboxProcess) -> None:
    sandbox.fault("error", path="/incidents")

    assert sandbox.http.get("/incidents", headers=TOKEN).status_code == 500
    assert sandbox.enqueue(event()).status_code == 202


def test_a_fault_with_a_count_is_gone_after_so_many_requests(sandbox: SandboxProcess) -> None:
    sandbox.fault("error", count=2)

    assert [sandbox.enqueue(event()).status_code for _ in range(3)] == [500, 500, 202]
    assert sandbox.control("GET", "/faults") == {"faults": []}


def test_the_oldest_fault_that_concerns_a_request_decides(sandbox: SandboxProcess) -> None:
    sandbox.fault("error", status=500, count=1)
    sandbox.fault("error", status=503)

    assert [sandbox.enqueue(event()).status_code for _ in range(2)] == [500, 503]


def test_faults_are_listed_and_lifted_one_by_one_or_all(sandbox: SandboxProcess) -> None:
    first = sandbox.fault("error", count=3)
    second = sandbox.fault("throttle")

    listed = sandbox.control("GET", "/faults")["faults"]
    assert [(one["id"], one["kind"], one["left"]) for one in listed] == [
        (first, "error", 3),
        (second, "throttle", None),
    ]
    sandbox.control("DELETE", f"/faults/{first}")
    assert [one["id"] for one in sandbox.control("GET", "/faults")["faults"]] == [second]
    sandbox.control("DELETE", "/faults")
    assert sandbox.enqueue(event()).status_code == 202


def test_any_fault_may_hold_its_answer_back(sandbox: SandboxProcess) -> None:
    sandbox.fault("error", delay_seconds=0.1)
    begun = time.monotonic()

    assert sandbox.enqueue(event()).status_code == 500
    assert time.monotonic() - begun >= 0.1


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"kind": "earthquake"}, "kind"),
        ({"kind": "error", "status": 404}, "a fault of kind error takes 500-599, not 404"),
        ({"kind": "slow", "status": 500}, "a fault of kind slow takes no status, not 500"),
        ({"kind": "error", "count": 0}, "count"),
        ({"kind": "error", "time": 3}, "time"),
        ({}, "kind"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(
    sandbox: SandboxProcess, fault: dict[str, object], told: str
) -> None:
    answer = sandbox.http.post("/_sandbox/faults", json=fault)

    assert answer.status_code == 400
    assert told in answer.json()["error"]
