"""The kept errors: one entry a minute and kind in a bounded stream, with exact counts beside it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.clock import Clock
from tasks.utils.error_reports import ErrorReport
from tasks.utils.formatters import compact_json
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tasks.utils.keys import Keys

MOST_ENTRIES: Final = 5_000
KEPT: Final = timedelta(days=7)
PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """What happened within one minute: how often, from when to when, and the report on the first of them."""

    report: ErrorReport
    count: int
    first: datetime
    last: datetime

    def fields(self) -> dict[str, Any]:
        """Its parts by name, for JSON; times in ISO 8601."""
        own = {"count": self.count, "first": self.first.isoformat(), "last": self.last.isoformat()}
        return {**asdict(self.report), **own}


class ErrorJournal:
    """Keeps errors on the server. Never more than `MOST_ENTRIES`, none older than `KEPT`."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._clock = Clock(client, keys)

    def write(self, counted: Sequence[tuple[ErrorReport, int]]) -> None:
        """Add so many occurrences of each report, in one round trip. Raises redis.RedisError when the server is away."""
        limits = (MOST_ENTRIES, milliseconds(KEPT))
        calls = [
            ("error_note", report.fingerprint, count, compact_json(report.fields()), *limits)
            for report, count in counted
        ]
        self._scripts.run_many(calls)

    def entries(self, since: timedelta | None = None, fingerprint: str | None = None) -> list[ErrorEntry]:
        """The entries of the last `since` (None: all there are), of one kind or of all, oldest first."""
        begin = 0 if since is None else self._clock.now_ms() - milliseconds(since)
        return [entry for page in self._pages(begin, fingerprint) for entry in page]

    def top(self, since: timedelta | None = None) -> list[ErrorEntry]:
        """One entry for each kind, the most frequent first, with the newest report."""
        entries = sorted(self.entries(since), key=lambda entry: (entry.report.fingerprint, entry.last))
        together = [_sum(list(group)) for _, group in groupby(entries, key=lambda entry: entry.report.fingerprint)]
        return sorted(together, key=lambda entry: (-entry.count, -entry.last.timestamp()))

    def _pages(self, begin_ms: int, fingerprint: str | None) -> Iterator[list[ErrorEntry]]:
        after = "-"
        while page := self._client.xrange(self._keys.errors, after, "+", PAGE):
            after = f"({page[-1][0]}"
            wanted = [fields for _, fields in page if fingerprint in (None, fields["c"].partition("|")[2])]
            counts = self._client.hmget(self._keys.error_counts, [fields["c"] for fields in wanted]) if wanted else []
            found = [_entry(fields, count) for fields, count in zip(wanted, counts, strict=True) if count]
            yield [entry for entry in found if entry.last.timestamp() * 1000 >= begin_ms]


def _entry(fields: dict[str, str], counted: str) -> ErrorEntry:
    count, _, last = counted.partition(" ")
    return ErrorEntry(ErrorReport(**json.loads(fields["r"])), int(count), _moment(fields["t"]), _moment(last))


def _moment(milliseconds_text: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds_text) / 1000, UTC)


def _sum(entries: list[ErrorEntry]) -> ErrorEntry:
    """Entries of one kind, oldest first, as one."""
    count = sum(entry.count for entry in entries)
    return ErrorEntry(entries[-1].report, count, min(entry.first for entry in entries), entries[-1].last)
