from __future__ import annotations

import socket
import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.integration.sandbox.kit import KEY, OTHER_KEY, UNKNOWN_KEY, event

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

ACCOUNT = {
    "services": [
        {
            "id": "PDATABA",
            "name": "database",
            "integrations": [
                {"id": "PDOOR01", "routing_key": UNKNOWN_KEY, "type": "events_api_v2_inbound_integration"}
            ],
        }
    ],
    "tokens": [],
}


def test_a_key_registered_by_the_control_api_is_known_at_once(sandbox: SandboxProcess) -> None:
    assert sandbox.enqueue(event(key=UNKNOWN_KEY)).status_code == 400

    sandbox.control("POST", "/keys", {"key": UNKNOWN_KEY, "service": "mail"})

    assert sandbox.enqueue(event(key=UNKNOWN_KEY)).status_code == 202
    assert sandbox.incidents()[0]["service"]["summary"] == "mail"


def test_a_second_key_of_a_service_belongs_to_the_same_service(sandbox: SandboxProcess) -> None:
    first = sandbox.control("POST", "/keys", {"key": UNKNOWN_KEY, "service": "db"})["service"]
    again = sandbox.control("POST", "/keys", {"key": UNKNOWN_KEY, "service": first["id"]})["service"]

    assert again == first
    assert [one["name"] for one in sandbox.control("GET", "/account")["services"]] == ["db", "web"]


def test_a_key_cannot_belong_to_two_services(sandbox: SandboxProcess) -> None:
    answer = sandbox.http.post("/_sandbox/keys", json={"key": KEY, "service": "web"})

    assert answer.status_code == 400
    assert "belongs to the service db" in answer.json()["error"]


def test_a_revoked_key_is_refused_and_its_alerts_stay_open(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())

    sandbox.control("DELETE", f"/keys/{KEY}")

    assert sandbox.enqueue(event("resolve")).json()["errors"] == ["Invalid routing key"]
    assert sandbox.incidents()[0]["status"] == "triggered"
    assert sandbox.http.delete(f"/_sandbox/keys/{KEY}").status_code == 404


def test_an_account_goes_in_and_comes_out_the_same(sandbox: SandboxProcess) -> None:
    sandbox.control("PUT", "/account", ACCOUNT)

    assert sandbox.control("GET", "/account") == ACCOUNT
    assert sandbox.enqueue(event(key=UNKNOWN_KEY)).status_code == 202
    assert sandbox.enqueue(event(key=KEY)).status_code == 400


def test_an_account_that_cannot_be_is_refused_with_every_reason_and_nothing_changes(sandbox: SandboxProcess) -> None:
    broken = {"services": [{"integrations": [{"routing_key": "short"}]}], "tokens": ["short"], "planets": []}

    answer = sandbox.http.put("/_sandbox/account", json=broken)

    assert answer.status_code == 400
    for place in ("services.0.name", "services.0.integrations.0.routing_key", "tokens.0", "planets"):
        assert place in answer.json()["error"]
    assert sandbox.enqueue(event()).status_code == 202


def test_two_services_cannot_share_an_id(sandbox: SandboxProcess) -> None:
    twins = {"services": [{"id": "PTWIN", "name": "one"}, {"id": "PTWIN", "name": "two"}]}

    assert "PTWIN" in sandbox.http.put("/_sandbox/account", json=twins).json()["error"]


def test_the_clock_moves_timestamps_but_not_the_logs_times(sandbox: SandboxProcess) -> None:
    sandbox.advance(3600)
    sandbox.enqueue(event())

    assert 3590 < sandbox.control("GET", "/clock")["now"] - time.time() < 3610
    assert sandbox.incidents()[0]["created_at"] > datetime.now(UTC).isoformat()
    assert abs(sandbox.log()[0]["at"] - time.time()) < 10


def test_the_clock_does_not_go_back(sandbox: SandboxProcess) -> None:
    assert sandbox.http.post("/_sandbox/clock", json={"advance_seconds": -1}).status_code == 400


def test_the_log_names_every_request_in_order_of_arrival(sandbox: SandboxProcess) -> None:
    before = time.time()
    body = event()
    sandbox.enqueue(body)
    sandbox.enqueue(event(key=UNKNOWN_KEY))
    sandbox.incidents()
    sandbox.http.get("/nothing")

    entries = sandbox.log()

    assert [(one["path"], one["status"], one["outcome"]) for one in entries] == [
        ("/v2/enqueue", 202, "opened"),
        ("/v2/enqueue", 400, "invalid"),
        ("/incidents", 200, "read"),
        ("/nothing", 404, "invalid"),
    ]
    assert all(later["n"] == earlier["n"] + 1 for earlier, later in pairwise(entries))
    assert before <= entries[0]["at"] <= entries[0]["ended_at"] <= entries[1]["at"]
    assert entries[0]["body"] == body
    assert (entries[0]["routing_key"], entries[0]["event_action"]) == (KEY, "trigger")
    assert (entries[0]["dedup_key"], entries[0]["summary"]) == ("disk/db-1", "disk full")


def test_the_log_is_paged_by_number(sandbox: SandboxProcess) -> None:
    for number in range(5):
        sandbox.enqueue(event(dedup_key=f"k{number}"))

    first = sandbox.control("GET", "/log?since=0&limit=3&body=0")
    rest = sandbox.control("GET", f"/log?since={first['next']}&body=0")
    nothing = sandbox.control("GET", f"/log?since={rest['next']}")

    assert [one["dedup_key"] for one in first["entries"] + rest["entries"]] == [f"k{n}" for n in range(5)]
    assert (first["more"], rest["more"], nothing["entries"], nothing["next"]) == (True, False, [], rest["next"])
    assert all("body" not in one for one in first["entries"])


def test_a_body_that_is_no_json_is_logged_as_text(sandbox: SandboxProcess) -> None:
    sandbox.http.post("/v2/enqueue", content=b"{broken")

    assert sandbox.last()["body"] == "{broken"


def test_a_cleared_log_counts_on(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())
    number = sandbox.last()["n"]

    sandbox.control("DELETE", "/log")

    assert sandbox.log() == []
    sandbox.enqueue(event())
    assert sandbox.last()["n"] == number + 1


def test_a_request_whose_client_dies_in_the_middle_is_logged_as_failed(sandbox: SandboxProcess) -> None:
    address = urlsplit(sandbox.url)
    with socket.create_connection((address.hostname, address.port)) as dying:
        dying.sendall(b'POST /v2/enqueue HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{"routing_key": "')

    deadline = time.monotonic() + 5
    while not sandbox.log():
        assert time.monotonic() < deadline

    assert (sandbox.last()["status"], sandbox.last()["outcome"]) == (0, "failed")


def test_a_body_larger_than_any_memory_should_hold_is_refused(sandbox: SandboxProcess) -> None:
    answer = sandbox.http.post("/v2/enqueue", content=b"x" * (33 * 1024 * 1024))

    assert answer.status_code == 413


def test_sink_mode_takes_everything_counts_it_and_keeps_no_incident(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/sink", {"on": True})

    for number in range(130):
        answer = sandbox.enqueue(event(dedup_key=f"k{number}", key=UNKNOWN_KEY))
        assert (answer.status_code, answer.json()["dedup_key"]) == (202, f"k{number}")

    assert sandbox.control("GET", "/state")["log"]["counts"] == {"sunk": 130}
    assert [one["dedup_key"] for one in sandbox.log()] == [f"k{number}" for number in range(130)]
    assert sandbox.incidents() == []
    sandbox.control("POST", "/sink", {"on": False})
    assert sandbox.enqueue(event(key=UNKNOWN_KEY)).status_code == 400


def test_sink_mode_still_obeys_faults_and_wants_json(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/sink", {"on": True})
    sandbox.fault("error", count=1)

    assert sandbox.enqueue(event()).status_code == 500
    assert sandbox.http.post("/v2/enqueue", content=b"{").status_code == 400


def test_limits_are_set_one_by_one_and_lifted_with_null(sandbox: SandboxProcess) -> None:
    assert sandbox.control("POST", "/limits", {"events_per_minute": 1})["rest_per_minute"] == 960
    assert [sandbox.enqueue(event()).status_code for _ in range(2)] == [202, 429]

    sandbox.control("POST", "/limits", {"events_per_minute": None})

    assert sandbox.enqueue(event()).status_code == 202


def test_a_reset_forgets_everything_set_since_the_start(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())
    sandbox.fault("error")
    sandbox.advance(60)
    sandbox.control("POST", "/sink", {"on": True})

    sandbox.control("POST", "/reset")

    state = sandbox.control("GET", "/state")
    assert (state["faults"], state["sink"], state["clock_offset_seconds"], state["services"]) == ([], False, 0.0, 0)
    assert (state["incidents"], state["log"]["entries"]) == ({"open": 0, "kept": 0}, 0)


def test_a_reset_may_keep_the_account(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())

    sandbox.control("POST", "/reset", {"keep_account": True})

    assert sandbox.incidents() == []
    assert sandbox.enqueue(event(key=OTHER_KEY)).status_code == 202


def test_a_person_sees_the_open_incidents_as_a_page(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event(dedup_key="a", summary="<b>disk</b> full"))
    sandbox.enqueue(event(dedup_key="b", summary="all quiet again"))
    sandbox.enqueue(event("resolve", dedup_key="b"))

    page = sandbox.http.get("/")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "&lt;b&gt;disk&lt;/b&gt; full" in page.text
    assert "1 open incident<" in page.text
    assert "all quiet again" not in page.text


def test_a_page_without_incidents_says_so(sandbox: SandboxProcess) -> None:
    assert "Nothing is wrong." in sandbox.http.get("/").text


def test_the_control_api_explains_itself_and_what_is_set(sandbox: SandboxProcess) -> None:
    sandbox.fault("throttle")

    text = sandbox.http.get("/_sandbox").text

    assert "POST   /_sandbox/faults" in text
    assert "throttle" in text.splitlines()[-2]


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/_sandbox/nothing", b"", 404),
        ("DELETE", "/_sandbox/faults/fault-0", b"", 404),
        ("POST", "/_sandbox/keys", b"{", 400),
        ("POST", "/_sandbox/keys", b'{"key": "short", "service": "db"}', 400),
        ("POST", "/_sandbox/sink", b"[]", 400),
        ("GET", "/_sandbox/log?since=yesterday", b"", 400),
    ],
)
def test_a_control_request_that_cannot_be_met_is_told_why(
    sandbox: SandboxProcess, method: str, path: str, content: bytes, status: int
) -> None:
    answer = sandbox.http.request(method, path, content=content)

    assert answer.status_code == status
    assert answer.json()["error"]


def test_control_requests_are_not_in_the_log(sandbox: SandboxProcess) -> None:
    sandbox.http.get("/")
    sandbox.control("GET", "/state")

    assert sandbox.log() == []
