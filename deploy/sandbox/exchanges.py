from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.call import Answer, Call

KEPT = 20_000
KEPT_BYTES = 64 * 1024 * 1024
# Credentials are not of note: whether they were right stands in the status.
OF_NOTE = (b"accept", b"content-type", b"from", b"early-access", b"user-agent")
SECRET = re.compile(rb'("secret":\s*)"[^"]*"')


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what it was answered. `fault` names what spoilt the answer, if anything did."""

    n: int
    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    request: bytes
    status: int
    answer: bytes
    fault: str

    @property
    def size(self) -> int:
        """How many bytes of bodies are kept."""
        return len(self.request) + len(self.answer)

    def to_json(self) -> dict[str, object]:
        """The exchange as others check it; a webhook's signing secret is not shown a second time."""
        return {
            "n": self.n,
            "method": self.method,
            "path": self.path,
            "query": self.query.decode("latin-1"),
            "headers": dict(self.headers),
            "request": _readable(self.request),
            "status": self.status,
            "answer": _readable(SECRET.sub(rb'\1"-- redacted --"', self.answer)),
            "fault": self.fault,
        }


class Exchanges:
    """The latest requests with their answers, so that both can be checked against PagerDuty's own description."""

    def __init__(self, kept: int = KEPT, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._exchanges: deque[Exchange] = deque()
        self._bytes = 0
        self._last = 0

    def keep(self, call: Call, answer: Answer, fault: str) -> None:
        """Remember one exchange; the oldest go where there are too many or too large ones."""
        self._last += 1
        headers = {name.decode(): value.decode("latin-1") for name, value in call.headers if name in OF_NOTE}
        exchange = Exchange(
            self._last, call.method, call.path, call.query, headers, call.body, answer.status, answer.body, fault
        )
        self._exchanges.append(exchange)
        self._bytes += exchange.size
        while len(self._exchanges) > self._kept or self._bytes > self._kept_bytes:
            self._bytes -= self._exchanges.popleft().size

    def page(self, since: int, limit: int) -> dict[str, object]:
        """The exchanges after number `since`, where to go on from, and how many of them are no longer kept."""
        first = self._last - len(self._exchanges) + 1
        start = max(0, since + 1 - first)
        found = list(islice(self._exchanges, start, start + limit))
        return {
            "exchanges": [one.to_json() for one in found],
            "next": found[-1].n if found else min(since, self._last),
            "more": start + len(found) < len(self._exchanges),
            "lost": max(0, first - since - 1),
        }


def _readable(raw: bytes) -> object:
    """The JSON of a body, None where it is empty; what is no JSON comes as text."""
    if not raw:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode(errors="replace")
