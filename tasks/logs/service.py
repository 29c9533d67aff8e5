"""Cleaning up: what is past its time is archived, the archive is read again, and only then is it deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from tasks.logs.holds import holding
from tasks.logs.models import ClassReport, CleanUpReport, Kept
from tasks.utils.error_handler import PermanentError
from tasks.utils.progress import report

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime, timedelta

    from tasks.logs.archives import Archives
    from tasks.logs.holds import Holds
    from tasks.logs.items import Item, Kind, Source
    from tasks.logs.models import Hold
    from tasks.utils.clock import Clock
    from tasks.utils.single_flight import Flight, SingleFlight

FLIGHT: Final = "the clean-up of logs"
NO_GAP: Final = "one before it stays, and the record must have no gap"
MOST_NAMED: Final = 100
log = structlog.get_logger("tocsin.logs")


@dataclass(frozen=True)
class CleanUpRules:
    """How long each class stays (None: for ever), and how much one run does."""

    host: str
    retention: Mapping[Kind, timedelta | None]
    most_bytes: int
    most_items: int


@dataclass
class _Run:
    """What one run has done so far."""

    rules: CleanUpRules
    holds: list[Hold]
    flight: Flight | None
    items: int = 0
    bytes: int = 0

    @property
    def is_full(self) -> bool:
        return self.items >= self.rules.most_items or self.bytes >= self.rules.most_bytes


class CleanUp:
    """One at a time in the whole fleet. Killed at any moment it has deleted nothing that is not in a verified archive on the list."""

    def __init__(
        self,
        sources: Collection[Source],
        archives: Archives,
        holds: Holds,
        flights: SingleFlight,
        clock: Clock,
        rules: CleanUpRules,
    ) -> None:
        self._sources = sources
        self._archives = archives
        self._holds = holds
        self._flights = flights
        self._clock = clock
        self._rules = rules

    def run(self, kinds: Collection[str] = (), *, dry_run: bool = False) -> CleanUpReport:
        """Clean up these classes, or all. `dry_run`: only say what would be done."""
        unknown = sorted(set(kinds) - set(self._rules.retention))
        if unknown:
            known = ", ".join(self._rules.retention)
            raise PermanentError(f"there is no class {', '.join(unknown)}; there are {known}")
        chosen = [source for source in self._sources if not kinds or source.kind in kinds]
        if dry_run:
            return self._run(chosen, _Run(self._rules, self._holds.in_force(), None), dry_run=True)
        with self._flights.alone(FLIGHT) as flight, self._archives.alone():
            return self._run(chosen, _Run(self._rules, self._holds.in_force(), flight), dry_run=False)

    def _run(self, sources: list[Source], run: _Run, *, dry_run: bool) -> CleanUpReport:
        classes: dict[Kind, ClassReport] = {}
        for source in sources:
            retention = self._rules.retention[source.kind]
            seconds = None if retention is None else retention.total_seconds()
            told = classes.setdefault(source.kind, ClassReport(kind=source.kind, retention_seconds=seconds))
            if retention is not None:
                self._clean(source, self._clock.now() - retention, run, told, dry_run=dry_run)
        return CleanUpReport(dry_run=dry_run, classes=list(classes.values()), host=self._rules.host)

    def _clean(self, source: Source, before: datetime, run: _Run, told: ClassReport, *, dry_run: bool) -> None:
        gap = ""
        for item in source.items(before):
            hold = holding(item, run.holds)
            why = gap or item.open or (_held(hold) if hold else "")
            if not why and run.is_full:
                told.left += 1
                continue
            why = why or self._take(source, item, run, told, dry_run=dry_run)
            if why:
                _keep(told, item, why)
                gap = NO_GAP if source.is_row else ""

    def _take(self, source: Source, item: Item, run: _Run, told: ClassReport, *, dry_run: bool) -> str:
        """Archive, verify, write down, delete: in this order, so that a crash leaves too much rather than too little.

        Why it stays all the same; '' if it is gone.
        """
        run.items, run.bytes = run.items + 1, run.bytes + item.bytes
        report(run.items, 0, f"items, now {source.kind}")
        if dry_run:
            told.items, told.bytes = told.items + 1, told.bytes + item.bytes
            return ""
        link = self._archives.put(source, item)
        if link is None:
            return "it changed while it was archived; the next run takes it up"
        if run.flight is not None:
            run.flight.check()
        run.holds = self._holds.in_force()  # a run may take an hour, and whoever says "hold" means at once
        if hold := holding(item, run.holds):
            return _held(hold)
        if not source.remove(item, link.id):
            return "it changed, or somebody else deleted it, after it was archived"
        told.items, told.bytes = told.items + 1, told.bytes + link.stored.bytes
        told.stored_bytes += link.stored.stored_bytes
        log.info("log_archived", kind=item.kind, item=item.name, archive=link.id, size=link.stored.bytes)
        return ""


def _held(hold: Hold) -> str:
    return f"legal hold {hold.id} by {hold.author}: {hold.why}"


def _keep(told: ClassReport, item: Item, why: str) -> None:
    told.kept_items += 1
    if len(told.kept) < MOST_NAMED:
        told.kept.append(Kept(name=item.name, why=why))
