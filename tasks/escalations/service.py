"""Takes escalations on when they are due: decides by the frozen policy, and has the server make the change if nobody was faster."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from tasks.escalations.messages import Ways, sends_of
from tasks.escalations.models import AdvanceReport
from tasks.escalations.policy import due_after, due_from, step, why_left_out
from tasks.escalations.rows import Sends, Turn, as_moment, as_ms
from tasks.utils.kept_labels import recall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.escalations.policy import Policy
    from tasks.escalations.rows import Due, EscalationRows
    from tasks.utils.scripts import Call

log = structlog.get_logger("tocsin.escalations")

A_CLAIM: Final = 50
DRAIN_SECONDS: Final = 5.0
OVERLAP: Final = 2.0  # then somebody else is called, who may have to wait for a free hand
STAY: Final = timedelta(milliseconds=250)  # so long a worker waits for the next one: cheaper than to be called again
AT_ONCE: Final = (
    2  # in one process: more take turns with Python's lock, and leave no thread for sends while thousands are overdue
)
BREATH: Final = 0.015  # seconds; what falls due meanwhile is taken together


class Pause(Protocol):
    """Says which rule holds alerts back."""

    def __call__(self, labels: Mapping[str, str], at: int) -> tuple[str, int, int] | None:
        """The rule in force at that moment (ms) for an alert with these labels: its name, from when, until when; None where none is."""
        ...


class Told(Protocol):
    """Hears how late steps were."""

    def __call__(self, seconds: float) -> None:
        """One step was so late."""
        ...


@dataclass(frozen=True)
class EscalationRules:
    """Bounds. `lease`: so long nobody else takes up what a worker has claimed."""

    lease: timedelta = timedelta(seconds=30)


class EscalationService:
    """What is done when a timer falls due."""

    def __init__(
        self,
        rows: EscalationRows,
        ways: Ways,
        pause: Pause,
        rules: EscalationRules | None = None,
        told: Told = lambda _: None,
    ) -> None:
        self._rows = rows
        self._ways = ways
        self._pause = pause
        self._rules = rules or EscalationRules()
        self._told = told
        self._seats = threading.BoundedSemaphore(AT_ONCE)

    def advance(self) -> AdvanceReport:
        """Go on with what is due, for a while; at once back where enough do so in this process. Safe to run twice, and beside others."""
        if not self._seats.acquire(blocking=False):
            return AdvanceReport()
        try:
            return self._advance()
        finally:
            self._seats.release()

    def _advance(self) -> AdvanceReport:
        report, turn, has_heir = AdvanceReport(), Turn(uuid.uuid4().hex, begins=True), False
        began = time.monotonic()
        while (spent := time.monotonic() - began) < DRAIN_SECONDS + OVERLAP:
            is_late = spent > DRAIN_SECONDS and not has_heir
            claimed = self._rows.claim(A_CLAIM, self._rules.lease, turn._replace(calls_heir=is_late), STAY)
            turn, has_heir = Turn(turn.token), has_heir or is_late
            if claimed.due:
                self._work(claimed.at, claimed.due, report)
            if claimed.wait < 0:
                return report
            if len(claimed.due) < A_CLAIM:
                time.sleep(
                    max(claimed.wait / 1000, BREATH)
                )  # a call by a message would come later than what is due next
        self._rows.claim(0, self._rules.lease, turn)
        return report

    def _work(self, at: int, due: Sequence[Due], report: AdvanceReport) -> None:
        policies = self._rows.policies({one.policy for one in due})
        calls = [self.plan(one, policies.get(one.policy), at) for one in due]
        for one, call, reply in zip(due, calls, self._rows.commit(calls), strict=True):
            if call[0] != "escalation_step":
                report.stopped += bool(int(reply))
            elif reply == "taken":
                report.taken += 1
                report.latest_ms = max(report.latest_ms, at - one.due)
                self._told((at - one.due) / 1000)
            elif reply == "overtaken":
                report.overtaken += 1
            else:
                report.stopped += 1

    def plan(self, due: Due, policy: Policy | None, at: int) -> Call:
        """The change that is to be made of an escalation that is due; `at` is this moment (ms)."""
        if policy is None:
            log.error("escalation_without_policy", uid=due.uid, policy=due.policy)
            return _end(due, "cancelled", "policy_lost")
        if not due.status or due.status == "resolved":
            return _end(due, "cancelled", due.status or "alert_forgotten")
        if policy.auto_resolve and at >= as_ms(as_moment(due.began) + policy.auto_resolve):
            return _end(due, "done", "auto_resolved", f"{due.id}-resolve".replace("escalation-", "step-", 1))
        if due.state == "paused":
            return ("escalation_resume", due.uid, due.fence, "pause_over", "", "")
        if due.state == "acknowledged":
            first = due_from(policy, 0, as_moment(at))
            return (
                "escalation_resume",
                due.uid,
                due.fence,
                "acknowledge_timed_out",
                as_ms(first) - at if first else 0,
                "1",
            )
        return self._go_on(due, policy, at)

    def _go_on(self, due: Due, policy: Policy, at: int) -> Call:
        first = due_after(policy, 0, as_moment(due.began)) if due.told == "first" else None
        if first and as_ms(first) > at:  # it was opened again: nobody has asked its policy yet
            return ("escalation_resume", due.uid, due.fence, "first_step", as_ms(first) - at, "")
        rule = self._pause(recall(due.labels, due.service, due.dedup_key), at)
        if rule:
            name, since, until = rule
            return ("escalation_wait", due.uid, due.fence, name, until, max(0, due.due - max(since, due.began)), "")
        following, promised = step(policy, due.taken), due_from(policy, due.taken, as_moment(due.due))
        if following is None or promised is None:
            return self._used_up(due, policy)
        if as_ms(promised) > at:  # it waited until its hours were over
            return ("escalation_resume", due.uid, due.fence, "waits_for_hours", as_ms(promised) - at, "")
        left_out = why_left_out(policy, due.taken, promised)
        sends = Sends(whom=[f"left out: {left_out}"]) if left_out else sends_of(due, following, self._ways)
        then = self._then(due, policy, at)
        return ("escalation_step", due.uid, due.fence, following.name, ", ".join(sends.whom), then, sends.told())

    def _then(self, due: Due, policy: Policy, at: int) -> int | str:
        """When it goes on after this step (ms): its next one, or the time the alert is resolved by itself; '' where neither comes."""
        next_step = due_after(policy, due.taken + 1, as_moment(at))
        over = as_moment(due.began) + policy.auto_resolve if policy.auto_resolve else None
        moments = [as_ms(moment) for moment in (next_step, over) if moment]
        return max(at, min(moments)) if moments else ""

    def _used_up(self, due: Due, policy: Policy) -> Call:
        if policy.auto_resolve:
            left = as_ms(as_moment(due.began) + policy.auto_resolve)
            return ("escalation_wait", due.uid, due.fence, "steps_exhausted", left, 0, "")
        return _end(due, "done", "exhausted")


def _end(due: Due, state: str, reason: str, resolve_by: str = "") -> Call:
    return ("escalation_end", due.uid, due.fence, state, reason, resolve_by)
