from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.sandbox.call import Answer, Call, Outcome, text
from deploy.sandbox.endpoint import Endpoint

if TYPE_CHECKING:
    from deploy.sandbox.world import World

PATH = "/hooks/"
MOST_KEPT = 50
LONGEST_TEXT = 4_000
TEXTUAL = (b"content-type", b"text/plain; charset=utf-8")
SHOWN_BY = ("text", "blocks", "attachments")  # a message has one of them at least


@dataclass(frozen=True, slots=True)
class Posted:
    """One message that people would read: where, when (on the sandbox's clock), and how it begins."""

    hook: str
    at: float
    text: str


class Messages:
    """The newest messages, for the page."""

    def __init__(self) -> None:
        self._posted: deque[Posted] = deque(maxlen=MOST_KEPT)

    def add(self, posted: Posted) -> None:
        """Keep one, at the expense of the oldest."""
        self._posted.append(posted)

    def newest(self) -> list[Posted]:
        """Those kept, newest first."""
        return list(reversed(self._posted))


class PostMessage(Endpoint):
    """POST /hooks/{name}: an incoming webhook of Slack's kind; every name exists."""

    methods = ("POST",)

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, call: Call) -> None:
        """The text is what the log calls the summary; a card without one is known by its own summary."""
        message = call.parse_event()
        call.summary = text(message.get("text")) or text(message.get("summary")) or text(message.get("subject"))

    def answer(self, call: Call) -> Answer:
        """`ok`, and the message is kept; or the words in which Slack refuses one."""
        if call.event is None:
            return _answer(400, "invalid_payload", Outcome.INVALID)
        if not any(call.event.get(name) for name in SHOWN_BY):
            return _answer(400, "no_text", Outcome.INVALID)
        self._world.messages.add(
            Posted(call.path.removeprefix(PATH), self._world.clock.now(), call.summary[:LONGEST_TEXT])
        )
        return _answer(200, "ok", Outcome.POSTED)

    def throttled(self, *, headers: bool | None) -> Answer:
        """Slack says how long to wait, unless a fault keeps it from saying so."""
        named = () if headers is False else ((b"retry-after", b"30"),)
        return Answer(429, b"rate_limited", Outcome.THROTTLED, named, TEXTUAL)

    def rejected(self) -> bytes:
        """What Slack says of a message it cannot read."""
        return b"invalid_payload"

    def swallowed(self, call: Call) -> Answer:  # noqa: ARG002 - whatever it was, nobody reads it
        """The success after which nobody sees a message."""
        return _answer(200, "ok", Outcome.SWALLOWED)


def _answer(status: int, word: str, outcome: Outcome) -> Answer:
    return Answer(status, word.encode(), outcome, content_type=TEXTUAL)
