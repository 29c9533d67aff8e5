"""Closes the loop: looks whether PagerDuty shows an incident of what it took, and has it said elsewhere where it does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from tasks.incidents.receipt_models import ReceiptReport, Settled, waiting
from tasks.utils.breaker_rules import BreakerRules
from tasks.utils.error_handler import PermanentError, TransientError
from tasks.utils.rest.errors import ThrottledError
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tasks.incidents.eyes import Eyes
    from tasks.incidents.receipt_models import Waiting
    from tasks.utils.keys import Keys

MOST_AT_ONCE: Final = 1000
LEASE: Final = timedelta(minutes=3)
LONGEST_PAUSE: Final = timedelta(minutes=5)

log = structlog.get_logger("tocsin.receipts")


@dataclass(frozen=True)
class ReceiptRules:
    """See the settings section `receipts`."""

    look_after: timedelta = timedelta(seconds=20)
    give_up_after: timedelta = timedelta(hours=1)
    breaker: BreakerRules = field(default_factory=BreakerRules)


class Receipts:
    """Any number may run; a row is in one hand at a time. `eyes` looks at PagerDuty; None where it cannot be asked."""

    def __init__(self, client: Any, keys: Keys, eyes: Callable[[], Eyes | None], rules: ReceiptRules) -> None:
        self._scripts = Scripts(client, keys)
        self._eyes = eyes
        self._rules = rules

    def verify(self) -> ReceiptReport:
        """Look for what is due, and settle it. While PagerDuty does not answer nothing is concluded from its silence."""
        at, *flat = self._scripts.run("receipts_claim", MOST_AT_ONCE, milliseconds(LEASE))
        rows = waiting(flat)
        report = ReceiptReport(rows=len(rows))
        if not rows:
            return report
        eyes = self._eyes()
        if eyes is None:
            self._settle([Settled(row, "unverified", "nobody_could_look") for row in rows], int(at), report)
            return report
        found = _Found(eyes, int(at), milliseconds(self._rules.look_after))
        try:
            found.look(rows)
        except (TransientError, PermanentError) as error:
            report.trouble = type(error).__name__
            report.is_held_up = isinstance(error, ThrottledError)
            log.warning("receipts_not_verified", rows=len(rows), error=report.trouble, detail=str(error)[:200])
        report.calls = eyes.calls
        self._settle([found.verdict(row) or self._undecided(row, int(at)) for row in rows], int(at), report)
        return report

    def _undecided(self, row: Waiting, at: int) -> Settled:
        if at - row.sent >= milliseconds(self._rules.give_up_after):
            return Settled(row, "unverified", "nobody_could_look")
        return Settled(row, "again")

    def _settle(self, settled: Sequence[Settled], at: int, report: ReceiptReport) -> None:
        args: list[str | int] = [self._rules.breaker.spec]
        for one in settled:
            args += [one.row.field, one.row.last, one.verdict, one.reason, self._pause(one.row, at, report)]
        words = Counter(self._scripts.run("receipts_settle", *args))
        report.again, report.ended = words["again"], words["ended"]
        report.unverified, report.missed = words["unverified"], words["missed"]
        report.seen = words["seen"] + words[""]
        if report.missed:
            log.error(
                "pages_missed", alerts=report.missed, meaning="PagerDuty took them and shows no incident; said again"
            )

    def _pause(self, row: Waiting, at: int, report: ReceiptReport) -> int:
        """Ever longer, but never past the moment at which it is decided; who waits for his turn only comes again soon."""
        first = milliseconds(self._rules.look_after)
        if report.is_held_up:
            return first
        pause: int = min(first * 2 ** min(row.looks, 10), milliseconds(LONGEST_PAUSE))
        return min(pause, max(row.till, row.last + first) - at) if row.till > at else pause


class _Found:
    """What one run has found out so far: whatever breaks it off, what is known stands."""

    def __init__(self, eyes: Eyes, at: int, look_after: int) -> None:
        self._eyes = eyes
        self._at = at
        self._look_after = look_after
        self._known: dict[str, Settled] = {}

    def look(self, rows: Sequence[Waiting]) -> None:
        """A glance for all, then a thorough look for those whose incident should be there."""
        for row in self._eyes.glance(rows):
            self._known[row.field] = Settled(row, "seen", "found")
        ripe = [row for row in rows if row.field not in self._known and row.is_ripe(self._at, self._look_after)]
        for row, is_there in self._eyes.search(ripe):
            if is_there:
                self._known[row.field] = Settled(row, "seen", "found")
                continue
            verdict, reason = self._eyes.excuse(row) or ("missed", "")
            self._known[row.field] = Settled(row, verdict, reason)

    def verdict(self, row: Waiting) -> Settled | None:
        """What is to be done with a row, if that is known."""
        return self._known.get(row.field)
