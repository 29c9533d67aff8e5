"""Decides what becomes of every alert that comes in, and writes the decision in one step."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.alerts.acceptance import Incoming, acceptance
from tasks.alerts.models import Decision, SubmitReport
from tasks.alerts.refusals import refusal
from tasks.alerts.rule_store import RuleStore
from tasks.utils.clock import Clock
from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.error_reports import outcome
from tasks.utils.rows import Inbox
from tasks.utils.scripts import Scripts
from tasks.utils.validators import check_alert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tasks.alerts.acceptance import AlertRules
    from tasks.utils.error_handler import ErrorHandler
    from tasks.utils.keys import Keys
    from tasks.utils.scripts import Call

INBOX_TURN: Final = timedelta(seconds=5)  # a drain that dies holds up the inbox no longer than this
INBOX_BATCH: Final = 100
RELEASE_BATCH: Final = 100
STALE: Final = ["stale"]
MEND: Final = "mend the cause; the alert is kept as a dead letter: `tocsin notifications dead-letters`"
ANY_TIME: Final = datetime.fromtimestamp(0, UTC)  # what rules that do not look at the clock are told


@dataclass(frozen=True)
class Question:
    """An alert to decide on: the script call, and what the answer will be about."""

    one: Incoming
    call: Call
    dedup_key: str = ""
    detail: str = ""
    refused: str = ""  # why, in one word, if it cannot become an alert


class AlertService:
    """Accepts alerts: check, route, hold back by rule, merge repeats, queue the rest. Safe to run twice on the same ids."""

    def __init__(self, client: Any, keys: Keys, rules: AlertRules, errors: ErrorHandler | None = None) -> None:
        self._scripts = Scripts(client, keys)
        self._inbox = Inbox(client, keys)
        self._clock = Clock(client, keys)
        self._rules = rules
        self._errors = errors
        self._store = RuleStore(client, keys, rules.inhibitions)

    def submit(self, message_id: str, alerts: Any) -> SubmitReport:
        """Decide on the alerts of one task message; their ids are `<message id>:<index>`. One alert need not be in a list."""
        alerts = alerts if isinstance(alerts, list) else [alerts]
        incoming = (Incoming(f"{message_id}:{index}", raw, "task") for index, raw in enumerate(alerts))
        return SubmitReport(alerts=list(self._decide_in_chunks(incoming)))

    def drain_inbox(self) -> SubmitReport:
        """Let go what is held back no longer, then decide on what waits in the inbox, in the order it came, for a while.

        The inbox is left alone while somebody else is at it.
        """
        released = self.release()
        decided = 0
        token = uuid.uuid4().hex
        end = time.monotonic() + self._rules.drain_for.total_seconds()
        is_first = True
        while rows := self._inbox.claim(INBOX_BATCH, INBOX_TURN, token, answers_hint=is_first):
            is_first = False
            poison = [row for row in rows if row.tries > self._rules.max_tries]
            self._refuse((Incoming(r.id, r.alert, r.source, r.received) for r in poison), "poison", "killed its worker")
            fit = (Incoming(r.id, r.alert, r.source, r.received) for r in rows if r.tries <= self._rules.max_tries)
            decided += len(self._decide(fit)) + len(poison)
            if time.monotonic() >= end:
                self._inbox.release(token)
                break
        return SubmitReport(drained=decided, released=released)

    def release(self) -> int:
        """Put what ended holds have kept back into the inbox, to be decided on by the rules of now; returns how many."""
        released = 0
        more = 1
        while more:
            count, more = self._scripts.run("release", RELEASE_BATCH)
            released += int(count)
        return released

    def bury(self, message_id: str, alerts: Sequence[Any], reason: str, detail: str, seen: str = "") -> None:
        """Dead-letter every alert of a message that must not be tried again; `seen`: when it came, as far as that is known (ms)."""
        incoming = (Incoming(f"{message_id}:{index}", raw, "task", seen) for index, raw in enumerate(alerts))
        self._refuse(incoming, reason, detail)

    def _decide_in_chunks(self, incoming: Iterable[Incoming]) -> Iterator[Decision]:
        chunk: list[Incoming] = []
        for one in incoming:
            chunk.append(one)
            if len(chunk) == self._rules.max_alerts:
                yield from self._decide(chunk)
                chunk = []
        yield from self._decide(chunk)

    def _decide(self, incoming: Iterable[Incoming]) -> list[Decision]:
        router = self._rules.router
        now = self._clock.now() if self._rules.escalates or (router and router.needs_time) else ANY_TIME
        questions = [self._question(one, now) for one in incoming]
        replies = self._ask(questions)
        while STALE in replies:  # the rules have changed: from the first answer that says so, all are asked again
            first = replies.index(STALE)
            self._store.refresh()
            questions[first:] = [self._question(asked.one, now) for asked in questions[first:]]
            replies[first:] = self._ask(questions[first:])
        self._tell_refused(questions)
        return [_decision(asked, reply) for asked, reply in zip(questions, replies, strict=True)]

    def _ask(self, questions: Sequence[Question]) -> list[Any]:
        return self._scripts.run_many([question.call for question in questions]) if questions else []

    def _question(self, one: Incoming, now: datetime) -> Question:
        """The script call that decides on one alert."""
        try:
            checked = check_alert(self._rules.fields.readable(one.raw))
        except InvalidAlertError as error:
            return self._refusal(one, "invalid", str(error))
        service = checked.alert.setdefault("service", self._rules.default_service)
        if service not in self._rules.dedup_windows:
            known = ", ".join(sorted(self._rules.dedup_windows))
            mend = f"service {service!r} is not configured (known: {known}); add it, then replay this dead letter"
            return self._refusal(one, "unknown_service", mend)
        return Question(one, *acceptance(one, checked, self._rules, self._store.book, now))

    def _refuse(self, incoming: Iterable[Incoming], reason: str, detail: str) -> None:
        questions = [self._refusal(one, reason, detail) for one in incoming]
        self._ask(questions)
        self._tell_refused(questions)

    def _tell_refused(self, questions: Iterable[Question]) -> None:
        """Keep refusals among the errors; not before they are written, for till then nothing is a dead letter."""
        for asked in questions:
            if asked.refused and self._errors is not None:
                where = f"alerts by {asked.one.source}"
                self._errors.note(outcome(asked.refused, where, asked.detail, severity="error", mend=MEND))

    def _refusal(self, one: Incoming, reason: str, detail: str) -> Question:
        kept = replace(one, raw=self._rules.fields.seal_unknown(one.raw))
        call = refusal(kept, reason, detail, self._rules.default_service)
        return Question(one, call, detail=detail, refused=reason)


def _decision(asked: Question, reply: Sequence[str]) -> Decision:
    state, reason, into = reply
    return Decision(
        id=asked.one.id, dedup_key=asked.dedup_key, state=state, reason=reason, into=into, detail=asked.detail
    )
