"""The record of acts as it is read, and PagerDuty's own beside it."""

from __future__ import annotations

import secrets
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from heapq import nlargest
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from tasks.audit.act_export import ExportReport, export_to
from tasks.audit.act_models import RecordsReport, VerifiedRecords, demand, is_begun, view_of
from tasks.audit.pagerduty_records import PagerDutyRecords
from tasks.audit.pagerduty_view import pagerduty_view
from tasks.audit.sealed_record import SealedRecord
from tasks.utils.act_context import about
from tasks.utils.audit_logger import AuditLogger
from tasks.utils.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tasks.audit.act_filter import ActFilter
    from tasks.audit.act_models import ActView
    from tasks.audit.models import VerifyReport
    from tasks.audit.prove import Since
    from tasks.audit.service import AuditRules
    from tasks.utils.keys import Keys
    from tasks.utils.ledger import Entry
    from tasks.utils.rest.client import RestClient

ACTS: Final = "acts"
PAGERDUTY: Final = "pagerduty:audit"
REMEMBERED: Final = 100_000  # ids; an act that waited on a disk for long may stand in the record twice, under one id


class ActArchive:
    """Seals, checks and reads both records; `folder` is the state folder. Sealing is done by one at a time."""

    def __init__(
        self,
        client: Any,
        keys: Keys,
        rules: AuditRules,
        folder: Path,
        rest: Callable[[], RestClient | None] = lambda: None,
    ) -> None:
        self.folder = folder
        self.acts = SealedRecord(client, keys.of(ACTS), replace(rules, folder=folder / "acts"))
        self.pagerduty = SealedRecord(client, keys.of(PAGERDUTY), replace(rules, folder=folder / "acts" / "pagerduty"))
        self._door = AuditLogger(client, keys, folder / "acts")
        clock = Clock(client, keys)
        self.collector = PagerDutyRecords(client, keys.of(PAGERDUTY), self.pagerduty, clock, rest)

    def seal(self) -> RecordsReport:
        """Take up what waits on this machine, chain, archive and anchor what is new in both, then take out of Redis what is over."""
        self._door.take_up()
        acts, pagerduty = self.acts.seal(), self.pagerduty.seal()
        return RecordsReport(acts=acts, pagerduty=pagerduty, trimmed=self.acts.trim() + self.pagerduty.trim())

    def verify(self, ledger: VerifyReport, since: Since = None, *, strict: bool = False) -> VerifiedRecords:
        """Whether all three records are as they were written; that of the ledger is known already. `strict`: TamperedError if not."""
        acts, pagerduty = self.acts.verify(since), self.pagerduty.verify(since)
        holds = ledger.holds and acts.holds and pagerduty.holds
        report = VerifiedRecords(holds=holds, ledger=ledger, acts=acts, pagerduty=pagerduty)
        return demand(report) if strict else report

    def read(self, wanted: ActFilter, *, with_pagerduty: bool = False) -> Iterator[ActView]:
        """The acts that fit, in the order of the record; then those that have not ended, then PagerDuty's."""
        own = filter(wanted.fits, _folded(self.acts.entries(wanted.first_day), wanted))
        if not with_pagerduty:
            return own
        theirs = _readable(pagerduty_view, filter(wanted.may_fit, self.pagerduty.entries(wanted.first_day)))
        return chain(own, filter(wanted.fits, theirs))

    def follow(self, wanted: ActFilter, every: float = 1.0) -> Iterator[ActView]:
        """The acts that fit as they come, for ever; each once it is over."""
        after = self.acts.last_id()
        while True:
            for entry in self.acts.live_after(after):
                after = entry.id
                if not is_begun(entry):
                    yield from filter(wanted.fits, _readable(view_of, [entry]))
            time.sleep(every)

    def export(self, wanted: ActFilter, form: str, *, with_pagerduty: bool = False) -> ExportReport:
        """Write the acts that fit to a new file in the state folder's `exports`."""
        name = f"acts-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}.{form}"
        report = export_to(self.folder / "exports" / name, self.read(wanted, with_pagerduty=with_pagerduty), form)
        about(f"file/{name}", acts=report.acts, sha256=report.sha256)
        return report

    def last(self, count: int, wanted: ActFilter, *, with_pagerduty: bool = False) -> list[ActView]:
        """The last so many that fit, oldest first."""
        found = enumerate(self.read(wanted, with_pagerduty=with_pagerduty))
        newest = nlargest(count, found, key=lambda numbered: (numbered[1].at, numbered[0]))
        return [act for _, act in reversed(newest)]


def _folded(entries: Iterable[Entry], wanted: ActFilter) -> Iterator[ActView]:
    """One act for the entries of each."""
    open_acts: dict[str, Entry] = {}
    told: dict[str, None] = {}
    order: deque[str] = deque()
    for entry in entries:
        if is_begun(entry):
            if entry.event not in told:
                open_acts[entry.event] = entry
            continue
        open_acts.pop(entry.event, None)
        if entry.event in told:
            continue
        told[entry.event] = None
        order.append(entry.event)
        if len(order) > REMEMBERED:
            del told[order.popleft()]
        if wanted.may_fit(entry):
            yield from _readable(view_of, [entry])
    yield from _readable(view_of, filter(wanted.may_fit, open_acts.values()))


def _readable(view: Callable[[Entry], ActView], entries: Iterable[Entry]) -> Iterator[ActView]:
    """The acts of those entries that hold one; of others `tocsin audit verify` says who was at fault, if anybody."""
    for entry in entries:
        with suppress(ValueError, TypeError, AttributeError):
            yield view(entry)
