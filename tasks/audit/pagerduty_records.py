"""Fetches PagerDuty's own audit records, so that what was done there stands beside what was done here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, Field

from tasks.audit.archive import day_of
from tasks.audit.pagerduty_view import entry_of_record
from tasks.utils.error_handler import TransientError
from tasks.utils.rest.errors import ForbiddenError, MissingAbilityError
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tasks.audit.sealed_record import SealedRecord
    from tasks.utils.clock import Clock
    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient

FIRST_LOOK: Final = timedelta(days=31)
OVERLAP: Final = timedelta(minutes=10)  # PagerDuty shows records late, and clocks differ
WIDEST: Final = timedelta(days=8)  # PagerDuty takes 31 days; what was read is kept after each piece
FARTHEST: Final = timedelta(days=365)  # PagerDuty keeps them for a year
REMEMBERED: Final = timedelta(days=40)
PAGE: Final = 200
NO_KEY: Final = "pagerduty.api_key is not set; without one nothing can be fetched"


class CollectReport(BaseModel):
    """What was fetched of PagerDuty's audit records."""

    state: Literal["done", "waits", "off"] = Field(
        "done", description="waits: PagerDuty does not answer now; off: it will not answer, `missing` says why."
    )
    since: AwareDatetime | None = None
    until: AwareDatetime | None = Field(None, description="Everything up to then is on record here now.")
    records: int = Field(0, description="Records read.")
    new: int = Field(0, description="Of those, not on record here before.")
    missing: str = Field("", description="Why not all of it could be read; empty if it was.")


class PagerDutyRecords:
    """Reads on from where it read last. Safe to run twice, or at once in two places: each record is put down once."""

    def __init__(
        self, client: Any, keys: Keys, record: SealedRecord, clock: Clock, rest: Callable[[], RestClient | None]
    ) -> None:
        self._client = client
        self._key = keys.seal
        self._scripts = Scripts(client, keys)
        self._record = record
        self._clock = clock
        self._rest = rest

    def collect(self) -> CollectReport:
        """Put down what is new; what cannot be read now is read by the next run."""
        rest = self._rest()
        if rest is None:
            return CollectReport(state="off", missing=NO_KEY)
        now = self._clock.now()
        since, known = self._start(now)
        report = CollectReport(since=since, until=since)
        try:
            for until in self._pieces(rest, since, now, known, report):
                report.until = until
                self._client.hset(self._key, "until", round(until.timestamp() * 1000))
        except TransientError as error:
            report.state, report.missing = "waits", f"PagerDuty does not answer now ({error}); the next run goes on"
        except (MissingAbilityError, ForbiddenError) as error:
            report.state, report.missing = "off", str(error)
        return report

    def _start(self, now: datetime) -> tuple[datetime, frozenset[str]]:
        """Since when to read, and which ids are in the archive although Redis does not know it."""
        until = self._client.hget(self._key, "until")
        if until is not None:
            return max(datetime.fromtimestamp(int(until) / 1000, UTC) - OVERLAP, now - FARTHEST), frozenset()
        since = now - FIRST_LOOK
        return since, frozenset(entry.event for entry in self._record.entries(day_of(round(since.timestamp() * 1000))))

    def _pieces(
        self, rest: RestClient, since: datetime, now: datetime, known: frozenset[str], report: CollectReport
    ) -> Iterator[datetime]:
        """Take in a span in pieces, oldest first; yields how far it has come."""
        while since < now:
            end = min(since + WIDEST, now)
            records = list(rest.audit_records.list(since=since, until=end))
            report.records += len(records)
            report.new += self._put([one for one in reversed(records) if str(one.get("id")) not in known])
            yield end
            since = end

    def _put(self, records: list[dict[str, Any]]) -> int:
        calls = [("record_put", *entry_of_record(one), milliseconds(REMEMBERED)) for one in records]
        pages = (calls[start : start + PAGE] for start in range(0, len(calls), PAGE))
        return sum(int(was_new) for page in pages for was_new in self._scripts.run_many(page))
