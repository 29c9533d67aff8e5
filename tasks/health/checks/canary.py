"""An alert that goes the whole way, through inbox, workers and channel to PagerDuty and back, and is resolved again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.utils.health_monitor import Line
from tasks.utils.rows import Inbox, InboxRow, new_event_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.utils.keys import Keys

PREFIX: Final = "tocsin-canary:"
SOURCE: Final = "tocsin"
LOOK_EVERY: Final = 0.1  # seconds
ASK_EVERY: Final = 1.0
RESOLVE_WITHIN: Final = 5.0
GONE_OUT: Final = ("sent", "merged")
STUCK: Final = {
    "inbox": "start `tocsin worker alert`, or more of them; look at their logs",
    "queued": "see `tocsin notifications breakers`, `tocsin notifications limits`, and the log of `tocsin worker delivery`",
    "held": "a silence or a rule holds it back: `tocsin alerts explain` says which",
    "dead": "`tocsin notifications dead-letters` says why",
}


class _Stage(NamedTuple):
    """Where an event is: `inbox`, or its state and why."""

    state: str
    reason: str = ""


@dataclass(frozen=True)
class CanaryRules:
    """`service`: whose alerts call nobody; `host`: where it comes from; `within` seconds PagerDuty must have it."""

    service: str | None
    host: str
    within: float


class CanaryCheck:
    """`shown`: asks PagerDuty whether it has an incident of that dedup key, its number then; None where nobody can be asked."""

    def __init__(self, client: Any, keys: Keys, rules: CanaryRules, shown: Callable[[str], str] | None) -> None:
        self._client = client
        self._keys = keys
        self._rules = rules
        self._shown = shown

    def __call__(self) -> list[Line]:
        """One line; the alert is resolved in any case."""
        if not self._rules.service:
            return [Line("canary.way", "skip", "health.canary_service names no service for it")]
        key, began = f"{PREFIX}{self._rules.host}", time.monotonic()
        dedup = f"{key}:{new_event_id()[:16]}"
        until = began + self._rules.within
        first = self._put(dedup, "trigger")
        try:
            stage, delivered = self._until_out(first, until), time.monotonic() - began
            number = self._until_shown(dedup, until) if stage.state in GONE_OUT else ""
            seen = time.monotonic() - began
        finally:
            second = self._put(dedup, "resolve")
        if stage.state not in GONE_OUT:
            return [self._stuck(stage)]
        ended = self._until_out(second, time.monotonic() + RESOLVE_WITHIN)
        return [self._verdict(delivered, number, seen, ended)]

    def _put(self, dedup: str, action: str) -> str:
        payload = {
            "summary": "Tocsin: a canary, to be resolved at once",
            "source": self._rules.host,
            "severity": "info",
            "component": "tocsin",
            "class": "canary",
        }
        alert = {"service": self._rules.service, "event_action": action, "dedup_key": dedup}
        row = InboxRow(new_event_id(), {**alert, **({"payload": payload} if action == "trigger" else {})}, SOURCE)
        Inbox(self._client, self._keys).put([row])
        return row.id

    def _until_out(self, event_id: str, until: float) -> _Stage:
        """Where the event is in the end, or when time is up."""
        while True:
            state, reason = self._client.hmget(self._keys.event(event_id), "state", "reason")
            stage = _Stage(state or "inbox", reason or "")
            if stage.state in (*GONE_OUT, "suppressed", "dead") or time.monotonic() >= until:
                return stage
            time.sleep(LOOK_EVERY)

    def _until_shown(self, dedup: str, until: float) -> str:
        """The number of PagerDuty's incident; '' where there is none in time, or nobody can be asked."""
        while self._shown is not None:
            if number := self._shown(dedup):
                return number
            if time.monotonic() >= until:
                return ""
            time.sleep(ASK_EVERY)
        return ""

    def _stuck(self, stage: _Stage) -> Line:
        why = f" ({stage.reason})" if stage.reason else ""
        mend = STUCK.get(stage.state, STUCK["held"])
        return Line("canary.way", "fail", f"not out after {self._limit}: {stage.state}{why}", self._limit, mend)

    def _verdict(self, delivered: float, number: str, seen: float, ended: _Stage) -> Line:
        told = f"delivered in {delivered:.1f} s"
        if self._shown is not None and not number:
            mend = "PagerDuty took it and shows no incident: look at its status page, and at what the service does with its alerts"
            return Line("canary.way", "fail", f"{told}, not shown by PagerDuty", self._limit, mend)
        told += f", shown as incident {number} after {seen:.1f} s" if number else ", not verified: no REST key"
        if ended.state not in (*GONE_OUT, "suppressed"):
            return Line("canary.way", "warn", f"{told}, not resolved yet", self._limit, STUCK.get(ended.state, ""))
        return Line("canary.way", "ok", f"{told}, resolved", self._limit)

    @property
    def _limit(self) -> str:
        return f"{self._rules.within:g} s"
