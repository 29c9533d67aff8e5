"""Gives each event its verdict, from its story and from what Redis still holds for it; pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from tasks.audit.check import MOST_TOLD, moment
from tasks.audit.models import Broken

if TYPE_CHECKING:
    from tasks.audit.check import Faults
    from tasks.audit.models import ProofReport, VerdictName
    from tasks.audit.pending import Row
    from tasks.audit.stories import Stories


OVERDUE: Final = "overdue"
LOST_HISTORY: Final = "lost_history"


class Judged(NamedTuple):
    """One verdict. `reason`: rule, reason of death, channel, event merged into, or what is broken, `fault` in one word. `due` in ms."""

    verdict: VerdictName
    reason: str
    due: int | None = None
    fault: str = ""


class Judge:
    """Judges events at one moment. `new_since`: when Redis began to know anything (ms), 0 when it does not say."""

    def __init__(self, stories: Stories, *, now: int, grace: int, new_since: int) -> None:
        self.rows: dict[str, Row] = {}
        self.unburied: frozenset[str] = frozenset()
        self._stories = stories
        self._now = now
        self._grace = grace
        self.new_since = new_since

    def judge(self, event_id: str) -> Judged:
        """What became of one event the ledger knows."""
        state, reason, waits_for, fault = self._stories.verdict(event_id)
        if waits_for:
            return self._judge_open(event_id, waits_for)
        if event_id in self.unburied and state == "dead":
            wrong = f"is a dead letter ({reason}) that Redis does not hold any more"
            return self._loss(event_id, wrong, "dead_letter_gone")
        return Judged(state, reason, fault=fault)  # type: ignore[arg-type]

    def suspects(self) -> set[str]:
        """Open events that look broken, and dead letters that look lost: a step may have been taken meanwhile."""
        return {event_id for event_id, row in self.rows.items() if self._wrong(row)} | self.unburied

    def misplaced(self) -> set[str]:
        """Open events that do not stand where they should."""
        return {event_id for event_id, row in self.rows.items() if row.due is None}

    def _judge_open(self, event_id: str, waits_for: str) -> Judged:
        row = self.rows.get(waits_for)
        if row is None:
            return Judged("pending", "", self._now)  # came in while the rows were being read
        wrong = self._wrong(row)
        if not wrong:
            return Judged("pending", "", row.due)
        told = self._loss(waits_for, wrong, row.fault) if row.due is None else Judged("broken", wrong, fault=OVERDUE)
        return (
            told if waits_for == event_id else told._replace(reason=f"was merged into {waits_for}, which {told.reason}")
        )

    def _wrong(self, row: Row) -> str:
        if row.due is None:
            return row.wrong
        late = self._now - row.due
        if late <= self._grace:
            return ""
        return f"was due {moment(row.due)}, {late // 1000} s ago, and no worker has taken it up"

    def _loss(self, event_id: str, wrong: str, fault: str) -> Judged:
        story = self._stories.get(event_id)
        if story is None or self.new_since <= story.last:
            return Judged("broken", wrong, fault=fault)
        since = moment(self.new_since)
        return Judged("lost", f"{wrong} (Redis lost everything before {since}: lost history)", fault=LOST_HISTORY)


class Tally:
    """Adds verdicts up into a report."""

    def __init__(self, report: ProofReport, faults: Faults) -> None:
        self._report = report
        self._faults = faults

    def add(self, event_id: str, judged: Judged) -> None:
        """One more verdict."""
        report = self._report
        report.events += 1
        if judged.verdict == "delivered":
            report.delivered += 1
        elif judged.verdict == "merged":
            report.merged += 1
        elif judged.verdict == "pending":
            self._wait(judged.due)
        elif judged.verdict == "broken":
            self._faults.add(judged.reason, event_id, judged.fault)
        elif judged.verdict == "lost":
            self.lose(event_id, judged.reason)
        else:
            counts = report.dead if judged.verdict == "dead" else report.suppressed
            counts[judged.reason] = counts.get(judged.reason, 0) + 1

    def lose(self, event_id: str, wrong: str) -> None:
        """One that went with Redis."""
        self._report.lost += 1
        if len(self._report.lost_events) < MOST_TOLD:
            self._report.lost_events.append(Broken(event_id=event_id, fault=LOST_HISTORY, wrong=wrong))

    def _wait(self, due: int | None) -> None:
        pending = self._report.pending
        pending.count += 1
        at = as_datetime(due or 0)
        pending.soonest_due = min(pending.soonest_due or at, at)
        pending.latest_due = max(pending.latest_due or at, at)


def as_datetime(at: int) -> datetime:
    """A time in ms as a datetime in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC)
