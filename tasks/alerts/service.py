"""Decides what becomes of every alert that comes in, and writes the decision in one step."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.alerts.models import Decision, SubmitReport
from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.formatters import tame
from tasks.utils.rows import Inbox, milliseconds
from tasks.utils.scripts import Scripts
from tasks.utils.validators import CheckedAlert, check_alert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tasks.utils.keys import Keys
    from tasks.utils.scripts import Call

INBOX_TURN: Final = timedelta(seconds=5)  # a drain that dies holds up the inbox no longer than this
INBOX_BATCH: Final = 100
NOT_KEPT: Final = "(not kept)"
SIGNED_FIELDS: Final = ("summary", "source", "severity", "component", "group", "class", "custom_details")


@dataclass(frozen=True)
class Incoming:
    """One alert at the door: `raw` is whatever the sender sent, `received` milliseconds since the epoch or ''."""

    id: str
    raw: Any
    source: str
    received: str = ""


@dataclass(frozen=True)
class Question:
    """A script call that decides on one alert, and what the answer will be about."""

    call: Call
    id: str
    dedup_key: str = ""
    detail: str = ""


@dataclass(frozen=True)
class AlertRules:
    """What the decisions depend on: dedup window of each known service, and the service of alerts that name none."""

    dedup_windows: Mapping[str, timedelta]
    default_service: str
    max_alerts: int
    max_tries: int
    drain_for: timedelta = timedelta(seconds=5)  # then task messages, which wait behind a drain, have their turn


class AlertService:
    """Accepts alerts: check, route to a service, merge repeats, queue the rest. Safe to run twice on the same ids."""

    def __init__(self, client: Any, keys: Keys, rules: AlertRules) -> None:
        self._scripts = Scripts(client, keys)
        self._inbox = Inbox(client, keys)
        self._rules = rules

    def submit(self, message_id: str, alerts: Any) -> SubmitReport:
        """Decide on the alerts of one task message; their ids are `<message id>:<index>`. One alert need not be in a list."""
        alerts = alerts if isinstance(alerts, list) else [alerts]
        incoming = (Incoming(f"{message_id}:{index}", raw, "task") for index, raw in enumerate(alerts))
        return SubmitReport(alerts=list(self._decide_in_chunks(incoming)))

    def drain_inbox(self) -> SubmitReport:
        """Decide on what waits in the inbox, in the order it came, for a while; nothing while somebody else does."""
        decided = 0
        token = uuid.uuid4().hex
        end = time.monotonic() + self._rules.drain_for.total_seconds()
        while rows := self._inbox.claim(INBOX_BATCH, INBOX_TURN, token):
            poison = [row for row in rows if row.tries > self._rules.max_tries]
            self._refuse((Incoming(r.id, r.alert, r.source, r.received) for r in poison), "poison", "killed its worker")
            fit = (Incoming(r.id, r.alert, r.source, r.received) for r in rows if r.tries <= self._rules.max_tries)
            decided += len(self._decide(fit)) + len(poison)
            if time.monotonic() >= end:
                self._inbox.release(token)
                break
        return SubmitReport(drained=decided)

    def bury(self, message_id: str, alerts: Sequence[Any], reason: str, detail: str) -> None:
        """Dead-letter every alert of a message that must not be tried again."""
        incoming = (Incoming(f"{message_id}:{index}", raw, "task") for index, raw in enumerate(alerts))
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
        return self._ask([self._question(one) for one in incoming])

    def _ask(self, questions: Sequence[Question]) -> list[Decision]:
        replies = self._scripts.run_many([question.call for question in questions]) if questions else []
        return [
            Decision(id=asked.id, dedup_key=asked.dedup_key, state=state, reason=reason, into=into, detail=asked.detail)
            for asked, (state, reason, into) in zip(questions, replies, strict=True)
        ]

    def _question(self, one: Incoming) -> Question:
        """The script call that decides on one alert."""
        try:
            checked = check_alert(one.raw)
        except InvalidAlertError as error:
            return self._refusal(one, "invalid", str(error))
        service = checked.alert.get("service") or self._rules.default_service
        if service not in self._rules.dedup_windows:
            known = ", ".join(sorted(self._rules.dedup_windows))
            mend = f"service {service!r} is not configured (known: {known}); add it, then replay this dead letter"
            return self._refusal(one, "unknown_service", mend)
        return self._acceptance(one, checked, service)

    def _acceptance(self, one: Incoming, checked: CheckedAlert, service: str) -> Question:
        alert = checked.alert
        alert["service"] = service
        dedup_key = alert.setdefault("dedup_key", one.id) or one.id
        alert["dedup_key"] = dedup_key
        payload = alert.get("payload") or {}
        uid = alert_uid(service, dedup_key)
        call = (
            "accept",
            one.id,
            uid,
            f"{uid}@{service}",
            service,
            dedup_key,
            alert["event_action"],
            str(payload.get("severity", "")),
            sign(alert),
            milliseconds(self._rules.dedup_windows[service]),
            json.dumps(alert),
            str(payload.get("summary", ""))[:120],
            one.source,
            one.received,
            json.dumps(checked.adaptations) if checked.adaptations else "",
        )
        return Question(call, one.id, dedup_key)

    def _refuse(self, incoming: Iterable[Incoming], reason: str, detail: str) -> None:
        self._ask([self._refusal(one, reason, detail) for one in incoming])

    def _refusal(self, one: Incoming, reason: str, detail: str) -> Question:
        call = ("refuse", one.id, json.dumps(_without_key(tame(one.raw))), reason, detail, one.source, one.received)
        return Question(call, one.id, detail=detail)


def _without_key(raw: Any) -> Any:
    """A refused alert as it is kept: a routing key that should never have been in a message is not."""
    return {**raw, "routing_key": NOT_KEPT} if isinstance(raw, dict) and "routing_key" in raw else raw


def alert_uid(service: str, dedup_key: str) -> str:
    """The short name of one alert: the same for the same dedup key of the same service, whatever their length."""
    return hashlib.sha256(f"{service}\0{dedup_key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def sign(alert: Mapping[str, Any]) -> str:
    """A digest of what a person would read; two events of one key with the same sign say the same thing."""
    action = alert["event_action"]
    payload = alert.get("payload") or {}
    said = [payload.get(field) for field in SIGNED_FIELDS] if action == "trigger" else []
    return f"{action}:{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:24]}"
