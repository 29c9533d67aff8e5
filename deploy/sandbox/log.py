from __future__ import annotations

import json
from collections import Counter, OrderedDict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy.sandbox.call import Answer, Call

KEPT_ENTRIES = 1_000_000
KEPT_BODY_BYTES = 64 * 1024 * 1024
LONGEST_SUMMARY = 1024


@dataclass(slots=True)
class Entry:
    """One request as the sandbox saw it. Times are real epoch seconds; `ended_at` stays None while unanswered.

    `status` is 0 where no status line was sent.
    """

    n: int
    at: float
    ended_at: float | None
    method: str
    path: str
    status: int
    routing_key: str
    event_action: str
    dedup_key: str
    outcome: str
    summary: str
    fault: str


FIELDS = tuple(field.name for field in fields(Entry))


class Log:
    """The sandbox's own witness: the latest requests in order of arrival, and counts of all of them."""

    def __init__(self, kept: int = KEPT_ENTRIES, kept_body_bytes: int = KEPT_BODY_BYTES) -> None:
        self._kept = kept
        self._kept_body_bytes = kept_body_bytes
        self._next = 1
        self.clear()

    def clear(self) -> None:
        """Forget every entry, body and count. Numbers go on, so that a reader's place stays valid."""
        self._entries: list[Entry] = []
        self._bodies: OrderedDict[int, bytes] = OrderedDict()
        self._body_bytes = 0
        self.counts: Counter[str] = Counter()

    def write(self, call: Call, answer: Answer, fault: str, *, keep_body: bool) -> Entry:
        """Note a request just before it is answered."""
        entry = Entry(
            self._next, call.at, None, call.method, call.path, answer.status, call.routing_key, call.event_action,
            call.dedup_key, answer.outcome.value, call.summary[:LONGEST_SUMMARY], fault,
        )  # fmt: skip
        self._next += 1
        self._entries.append(entry)
        self.counts[entry.outcome] += 1
        if len(self._entries) > self._kept + self._kept // 10:
            del self._entries[: len(self._entries) - self._kept]
        if keep_body and call.body:
            self._keep_body(entry.n, call.body)
        return entry

    def page(self, since: int, limit: int, *, bodies: bool) -> dict[str, object]:
        """The entries after number `since`, where to go on from, and whether there are more."""
        first = self._next - len(self._entries)
        start = max(0, since + 1 - first)
        entries = self._entries[start : start + limit]
        return {
            "entries": [self._render(entry, bodies=bodies) for entry in entries],
            "next": entries[-1].n if entries else min(since, self.last),
            "more": start + len(entries) < len(self._entries),
        }

    @property
    def last(self) -> int:
        """The number of the latest entry; numbers begin at 1."""
        return self._next - 1

    def _render(self, entry: Entry, *, bodies: bool) -> dict[str, object]:
        rendered: dict[str, object] = {name: getattr(entry, name) for name in FIELDS}
        raw = self._bodies.get(entry.n) if bodies else None
        if raw is not None:
            rendered["body"] = _readable(raw)
        return rendered

    def _keep_body(self, number: int, body: bytes) -> None:
        self._bodies[number] = body
        self._body_bytes += len(body)
        while self._body_bytes > self._kept_body_bytes:
            self._body_bytes -= len(self._bodies.popitem(last=False)[1])

    def __len__(self) -> int:
        return len(self._entries)


def _readable(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode(errors="replace")
