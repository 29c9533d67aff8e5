"""The doors for what people would read, as Slack has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.integration.sandbox.kit import event

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess


def post(sandbox: SandboxProcess, message: Any, hook: str = "shop") -> httpx.Response:
    return sandbox.http.post(f"/hooks/{hook}", json=message)


def test_a_message_is_answered_as_slack_does_and_is_in_the_log_with_its_body(sandbox: SandboxProcess) -> None:
    answer = post(sandbox, {"text": "*disk full* on web1"})

    entry = sandbox.last()
    assert (answer.status_code, answer.text) == (200, "ok")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert (entry["method"], entry["path"], entry["status"]) == ("POST", "/hooks/shop", 200)
    assert (entry["outcome"], entry["summary"]) == ("posted", "*disk full* on web1")
    assert entry["body"] == {"text": "*disk full* on web1"}
    assert sandbox.control("GET", "/state")["log"]["counts"] == {"posted": 1}


@pytest.mark.parametrize(
    ("message", "summary"),
    [
        ({"type": "message", "summary": "disk full", "attachments": [{"content": {}}]}, "disk full"),
        ({"blocks": [{"type": "section"}]}, ""),
    ],
)
def test_cards_and_blocks_are_messages_too(sandbox: SandboxProcess, message: Any, summary: str) -> None:
    assert post(sandbox, message).status_code == 200
    assert sandbox.last()["summary"] == summary


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"payload", "invalid_payload"), (b"[]", "invalid_payload"), (b"{}", "no_text"), (b'{"text": ""}', "no_text")],
)
def test_what_nobody_could_read_is_refused_in_slacks_words(sandbox: SandboxProcess, content: bytes, word: str) -> None:
    answer = sandbox.http.post("/hooks/shop", content=content)

    assert (answer.status_code, answer.text) == (400, word)
    assert sandbox.last()["outcome"] == "invalid"


def test_only_posting_is_possible_and_a_hook_has_one_name(sandbox: SandboxProcess) -> None:
    assert sandbox.http.get("/hooks/shop").status_code == 405
    assert sandbox.http.post("/hooks/a/b", json={"text": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("fault", "status", "outcome"),
    [
        ({"kind": "throttle"}, 429, "throttled"),
        ({"kind": "error", "status": 503}, 503, "failed"),
        ({"kind": "reject", "status": 410, "body": "channel_is_archived"}, 410, "invalid"),
        ({"kind": "swallow"}, 200, "swallowed"),
    ],
)
def test_faults_spoil_hooks_as_they_spoil_everything(
    sandbox: SandboxProcess, fault: dict[str, Any], status: int, outcome: str
) -> None:
    sandbox.fault(**fault, path="/hooks/shop", count=1)

    assert post(sandbox, {"text": "x"}, hook="other").status_code == 200
    assert sandbox.enqueue(event()).status_code == 202
    assert post(sandbox, {"text": "x"}).status_code == status
    assert (sandbox.last()["outcome"], sandbox.last()["fault"]) == (outcome, fault["kind"])
    assert post(sandbox, {"text": "x"}).status_code == 200


def test_a_throttled_hook_says_how_long_unless_the_fault_keeps_it_from_saying(sandbox: SandboxProcess) -> None:
    sandbox.fault("throttle", count=1)
    sandbox.fault("throttle", count=1, headers=False)

    assert post(sandbox, {"text": "x"}).headers["retry-after"] == "30"
    assert "retry-after" not in post(sandbox, {"text": "x"}).headers


def test_a_message_may_be_taken_and_its_answer_lost(sandbox: SandboxProcess) -> None:
    sandbox.fault("reset", ingest=True, count=1)

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        post(sandbox, {"text": "x"})

    assert sandbox.last()["outcome"] == "posted"


def test_a_person_sees_the_newest_messages_on_the_page(sandbox: SandboxProcess) -> None:
    assert "Messages" not in sandbox.http.get("/").text
    for number in range(60):
        post(sandbox, {"text": f"<b>message {number}</b>"})

    page = sandbox.http.get("/").text

    assert page.index("&lt;b&gt;message 59&lt;") < page.index("&lt;b&gt;message 10&lt;")
    assert "message 9&lt;" not in page
    sandbox.control("POST", "/reset")
    assert "Messages" not in sandbox.http.get("/").text
