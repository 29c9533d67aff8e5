"""How many accepted alerts were delivered in time, day by day, told from the ledger's entries alone; pure, no clock, no I/O.

An alert is an accepted trigger. It was to be delivered unless it was merged into another or suppressed by a rule; it was in time if a
channel took it before the deadline of its severity. What was not in time makes the span between its deadline and its end an outage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.audit.archive import day_of
from tasks.audit.judge import as_datetime
from tasks.audit.models import AvailabilityReport, DayReport, OutageReport
from tasks.audit.records import service_in, severity_in
from tasks.utils.ledger import is_bundle, is_escalation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tasks.utils.ledger import Entry

STEPS: Final = frozenset({"received", "accepted", "sent", "merged", "suppressed", "dead", "released", "replayed"})
UNKNOWN: Final = "critical"  # of older entries nobody knows the severity: the strictest deadline is taken
TOGETHER_MS: Final = 60_000
Span = tuple[int, int]


class _Alert:
    """One event so far. `ended` 0: it waits."""

    __slots__ = ("begun", "ended", "how", "service", "severity")

    def __init__(self, begun: int) -> None:
        self.begun, self.ended, self.how, self.service, self.severity = begun, 0, "", "", ""


class Availability:
    """Takes in entries in order. `deadline`: how long (ms) an alert of that service and severity may take."""

    def __init__(self, deadline: Callable[[str, str], int]) -> None:
        self._deadline = deadline
        self._alerts: dict[str, _Alert] = {}

    def add(self, entry: Entry) -> None:
        """The next entry."""
        if is_bundle(entry.event) or is_escalation(entry.event):
            return
        alert = self._alerts.get(entry.event)
        if alert is None:
            if entry.step not in ("received", "accepted"):
                return
            alert = self._alerts[entry.event] = _Alert(entry.at)
        if entry.step == "accepted":
            self._accept(alert, entry)
        elif entry.step in ("released", "replayed"):
            alert.begun, alert.ended, alert.how = entry.at, 0, ""
        elif entry.step != "received":
            alert.ended, alert.how = entry.at, entry.step

    def report(self, since: int, now: int) -> AvailabilityReport:
        """Every day from `since` on, and the outages; both times in ms."""
        days: dict[str, DayReport] = {}
        late: list[Span] = []
        for alert in self._alerts.values():
            if alert.severity and alert.begun >= since and alert.how not in ("merged", "suppressed"):
                day = day_of(alert.begun)
                late += self._count(days.setdefault(day, DayReport(day=day)), alert, now)
        outages = [_outage(span, count) for span, count in _joined(late)]
        known = [days[day] for day in sorted(days)]
        return AvailabilityReport(since=as_datetime(since), until=as_datetime(now), days=known, outages=outages)

    @staticmethod
    def _accept(alert: _Alert, entry: Entry) -> None:
        if entry.reason == "trigger":
            alert.service, alert.severity = service_in(entry), severity_in(entry) or UNKNOWN

    def _count(self, day: DayReport, alert: _Alert, now: int) -> Iterator[Span]:
        """Count it; its outage, if it was one."""
        due = alert.begun + self._deadline(alert.service, alert.severity)
        in_time = alert.how == "sent" and alert.ended <= due
        if not alert.ended and now <= due:
            day.waiting += 1
            return
        day.alerts += 1
        if in_time:
            day.in_time += 1
            return
        day.lost_to_dead_letters += alert.how == "dead"
        yield min(due, alert.ended or now), alert.ended or now


def _joined(spans: Iterable[Span]) -> Iterator[tuple[Span, int]]:
    """The spans, those that touch as one, each with how many went into it."""
    joined: list[tuple[Span, int]] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][0][1] + TOGETHER_MS:
            (first, last), count = joined[-1]
            joined[-1] = ((first, max(last, end)), count + 1)
        else:
            joined.append(((begin, end), 1))
    yield from joined


def _outage(span: Span, count: int) -> OutageReport:
    begin, end = span
    return OutageReport(begin=as_datetime(begin), end=as_datetime(end), seconds=(end - begin) / 1000, alerts=count)
