from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JSON_TYPE = (b"content-type", b"application/json; charset=utf-8")


class Outcome(StrEnum):
    """What became of one request; the witness log names every request by one of these."""

    OPENED = "opened"
    GROUPED = "grouped"
    SUPPRESSED = "suppressed"
    SUSPENDED = "suspended"
    MAINTENANCE = "maintenance"
    UNROUTED = "unrouted"
    UPDATED = "updated"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    DROPPED = "dropped"
    RECORDED = "recorded"
    POSTED = "posted"
    READ = "read"
    WRITTEN = "written"
    THROTTLED = "throttled"
    INVALID = "invalid"
    FAILED = "failed"
    SWALLOWED = "swallowed"
    SUNK = "sunk"


class Cut(StrEnum):
    """How an answer fails to arrive whole."""

    NOTHING = ""
    TRUNCATED = "truncated"
    RESET = "reset"


@dataclass(slots=True)
class Call:
    """One request, with what the log and the faults need to know of its body.

    `at` is the real time of its first byte (epoch seconds). The endpoint's `read` fills the fields below `at`.
    """

    method: str
    path: str
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    at: float
    body: bytes = b""
    event: dict[str, object] | None = None
    routing_key: str = ""
    event_action: str = ""
    dedup_key: str = ""
    summary: str = ""

    def header(self, name: bytes) -> str:
        """The first header of that lower-case name, or an empty string."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), "")

    def parameters(self) -> Mapping[str, Sequence[str]]:
        """Every query parameter with all its values, blank ones too."""
        return parse_qs(self.query.decode("latin-1"), keep_blank_values=True)

    def parse_event(self) -> dict[str, object]:
        """The body as a JSON object, also kept as `event`; empty where it is none."""
        try:
            parsed = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        if isinstance(parsed, dict):
            self.event = parsed
            return parsed
        return {}


@dataclass(slots=True)
class Answer:
    """One answer: what is sent, what became of the request, and how the answer is spoilt, if it is."""

    status: int
    body: bytes
    outcome: Outcome
    headers: Sequence[tuple[bytes, bytes]] = ()
    content_type: tuple[bytes, bytes] = JSON_TYPE
    delay: float = 0.0
    cut: Cut = Cut.NOTHING


def text(value: object) -> str:
    """The value if it is a string, else an empty string."""
    return value if isinstance(value, str) else ""


def to_json(value: object) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()
