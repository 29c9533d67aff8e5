"""What each channel over HTTP is sent."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasks.notifications.channels.protocol import Message
from tasks.utils.bundles import Notice
from tests.integration.channels.http_kit import FOR_PEOPLE, KINDS, NOTICE, SECRET, body_of, headers_of
from tests.integration.channels.wire_kit import Listener, answer, listening

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.utils.rows import Outcome
    from tests.integration.channels.http_kit import Kind

    Send = Callable[..., Outcome]

PAGE = (Path(__file__).parents[3] / "docs" / "channels.md").read_text("utf-8")
PAGERDUTY, INCIDENT, SLACK, TEAMS, WEBHOOK = KINDS


@pytest.fixture
def sent(send: Send) -> Callable[..., bytes]:
    """The request that a message becomes."""

    def sent(
        kind: Kind, notice: Notice = NOTICE, *, minimal: bool = False, message_id: str = "0abc", **options: Any
    ) -> bytes:
        listener = Listener(answer(202))
        with listening(listener) as (host, port):
            message = kind.message(f"http://{host}:{port}", minimal=minimal, **options)
            assert send(kind, replace(message, notice=notice, id=message_id)).verb == "sent"
        (request,) = listener.requests
        return request

    return sent


def body(card: Any) -> Any:
    """The one part of a card."""
    (attachment,) = card["attachments"]
    (part,) = attachment["content"]["body"]
    return part


def test_slack_gets_the_text_and_in_minimal_form_the_subject_without_mark_up(sent: Callable[..., bytes]) -> None:
    notice = Notice(subject="<!channel> a & b", text="*a*")

    assert body_of(sent(SLACK, notice)) == {"text": "*a*"}
    assert body_of(sent(SLACK, notice, minimal=True)) == {"text": "&lt;!channel&gt; a &amp; b", "mrkdwn": False}


def test_teams_gets_a_card_with_the_text_and_in_minimal_form_with_the_subject_as_plain_text(
    sent: Callable[..., bytes],
) -> None:
    notice = Notice(subject="[a](b)", text="**a**")

    card = body_of(sent(TEAMS, notice))
    assert (card["type"], card["summary"]) == ("message", "[a](b)")
    assert card["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert body(card) == {"type": "TextBlock", "text": "**a**", "wrap": True}
    plain = {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "[a](b)"}]}
    assert body(body_of(sent(TEAMS, notice, minimal=True))) == plain


@pytest.mark.parametrize("letter", ["a", "é", "\N{BELL}", '"', "\\", "\x01", "\ud800"])
def test_what_is_too_long_for_teams_is_cut_and_says_so(sent: Callable[..., bytes], letter: str) -> None:
    text = letter * 100_000

    request = sent(TEAMS, Notice(subject=letter * 10_000, text=text))

    document = request.partition(b"\r\n\r\n")[2].decode()
    shown = body(json.loads(document))["text"]
    size = len(document.encode("utf-16-le"))
    assert 28 * 1024 - 100 <= size <= 28 * 1024
    assert shown.endswith("… (cut here: the whole is too long for this channel)")


def test_what_is_too_long_for_slack_is_cut_and_says_so_in_the_channels_language(sent: Callable[..., bytes]) -> None:
    shown = body_of(sent(SLACK, Notice(subject="s", text="a" * 100_000), locale="fr"))["text"]

    assert len(shown) == 39_000
    assert shown.endswith("… (coupé ici\u00a0: l'ensemble est trop long pour ce canal)")


@pytest.mark.parametrize("kind", FOR_PEOPLE, ids=str)
def test_a_message_without_words_goes_with_its_bare_summary(send: Send, kind: Kind) -> None:
    listener = Listener(answer(200))
    alert = {"dedup_key": "disk", "payload": {"summary": "disk\nfull"}}
    with listening(listener) as (host, port):
        message = kind.message(f"http://{host}:{port}")
        bare = Message(alert, message.url, message.key, id="1", options=message.options)

        assert send(kind, bare).verb == "sent"
        assert send(kind, replace(bare, minimal=True)).verb == "sent"

    assert all(b"disk" in request for request in listener.requests)


def verifier() -> Callable[..., bool]:
    """The receiver's side as docs/channels.md shows it."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    return names["is_from_tocsin"]


class Headers(dict[str, str]):
    """Headers as a web framework has them: upper and lower case are the same."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())


def test_a_receiver_verifies_a_webhook_as_the_page_shows(sent: Callable[..., bytes]) -> None:
    request = sent(WEBHOOK)
    headers, raw = Headers(headers_of(request)), request.partition(b"\r\n\r\n")[2]
    is_from_tocsin, at = verifier(), lambda: 1_790_000_060.0

    assert json.loads(raw) == NOTICE.document
    assert headers["X-Tocsin-Id"] == "0abc"
    assert headers["X-Tocsin-Timestamp"] == "1790000000"
    assert is_from_tocsin(headers, raw, SECRET, at)
    assert not is_from_tocsin(headers, raw + b" ", SECRET, at)
    assert not is_from_tocsin(headers, raw, SECRET[::-1] + "x", at)
    assert not is_from_tocsin(headers, raw, SECRET, lambda: 1_790_000_301.0)
    for name, value in (("x-tocsin-id", "0abd"), ("x-tocsin-timestamp", "1790000001")):
        assert not is_from_tocsin(Headers({**headers, name: value}), raw, SECRET, at)


@pytest.mark.parametrize("message_id", ["a\r\nX-Evil: 1", "ü", "", "a b", "x" * 10_000, "\ud800", "=?utf-8?q?x?="])
def test_an_id_that_no_header_can_carry_is_a_digest(sent: Callable[..., bytes], message_id: str) -> None:
    headers = headers_of(sent(WEBHOOK, message_id=message_id))

    assert re.fullmatch(r"[0-9a-f]{64}", headers["x-tocsin-id"])
    assert "x-evil" not in headers


@pytest.mark.parametrize("message_id", ["187bbd9fb7f58bb7cafe", "bundle-1", "d3b07384-d9a0:0", "~187bbd"])
def test_usual_ids_are_sent_as_they_are(sent: Callable[..., bytes], message_id: str) -> None:
    assert headers_of(sent(WEBHOOK, message_id=message_id))["x-tocsin-id"] == message_id


def test_pagerdutys_event_is_the_alert_whatever_people_read(sent: Callable[..., bytes]) -> None:
    event = body_of(sent(PAGERDUTY))

    assert (event["routing_key"], event["dedup_key"]) == (SECRET, "disk")
