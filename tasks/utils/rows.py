"""Due rows: what was accepted and what must be sent. Messages are hints; these rows are the truth."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from tasks.utils.breaker_rules import BreakerRules
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from tasks.utils.keys import Keys
    from tasks.utils.scripts import Call

WEBHOOK_SOURCE: Final = "pagerduty:webhook"  # of rows that are no alerts, but what PagerDuty says of them
OutcomeVerb = Literal["sent", "retry", "pause", "minimal", "refused"]


def new_event_id() -> str:
    """A fresh event id: 32 hexadecimal digits that sort by time (nanoseconds first), so that rows of one moment keep their order."""
    return f"{time.time_ns():016x}{os.urandom(8).hex()}"


def service_of(destination: str) -> str:
    """Whose destination it is: `SERVICE`, `SERVICE/CHANNEL`, and `:CHANNEL` behind either for what falls back on people."""
    return re.split("[/:]", destination, maxsplit=1)[0]


def milliseconds(span: timedelta) -> int:
    """A span as Redis scripts take it."""
    return round(span.total_seconds() * 1000)


@dataclass(frozen=True)
class InboxRow:
    """One event as it was received: `alert` in the wire shape of `alerts.submit`, `source` names the door it came through."""

    id: str
    alert: Any
    source: str
    received: str = ""  # milliseconds since the epoch; '' = now


@dataclass(frozen=True)
class ClaimedRow:
    """An inbox row handed to this caller; `tries` counts how often it was handed out."""

    id: str
    alert: Any
    source: str
    received: str
    tries: int


class Inbox:
    """Events received and not yet decided on."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._scripts = Scripts(client, keys)

    def put(self, rows: Sequence[InboxRow]) -> Any:
        """Write rows and hint at them, in one call. With an asyncio client the result must be awaited.

        A row that is known already changes nothing. Raises redis.RedisError when the server is away.
        """
        args: list[str] = []
        for row in rows:
            args += [row.id, row.received, row.source, json.dumps(row.alert)]
        return self._scripts.run("inbox_put", *args)

    def claim(self, limit: int, turn: timedelta, token: str, *, answers_hint: bool = True) -> list[ClaimedRow]:
        """The oldest `limit` rows, if it is this caller's turn; it stays so for `turn`. They must be decided on in order.

        `answers_hint`: what comes from now on may call a drain again.
        """
        flat = self._scripts.run("inbox_claim", limit, milliseconds(turn), token, "1" if answers_hint else "")
        rows = []
        for event_id, envelope, tries in zip(*[iter(flat)] * 3, strict=True):
            received, source, alert = envelope.split("\n", 2)
            rows.append(ClaimedRow(event_id, json.loads(alert), source, received, int(tries)))
        return rows

    def release(self, token: str) -> None:
        """Give the turn back although rows may be left; another caller is called for those."""
        self._scripts.run("inbox_release", token)


@dataclass(frozen=True)
class Claim:
    """A lane (`<alert uid>@<destination>`) this caller holds until its lease ends. Destinations: see `tasks.alerts.routing`."""

    lane: str
    destination: str


@dataclass(frozen=True)
class Attempt:
    """One send about to begin: which event, to which channel, with which key, for how many-th time."""

    lane: str
    event_id: str
    action: str
    channel: str
    key_id: str
    minimal: bool
    attempts: int
    body: str
    patience_ms: int  # until the next channel may take over; -1 when there is none
    endpoint: str = ""  # whose breaker let it begin
    begun: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt. `unclear`: it failed, but may have arrived all the same."""

    verb: OutcomeVerb
    reason: str = ""
    delay_ms: int = 0
    unclear: bool = False


@dataclass(frozen=True)
class Plan:
    """How lanes of one destination are worked.

    `channels` is channel, key id and way of each in order of fall-back (see lua/begin.lua); `change_channels` a JSON list of those
    that take change events; `words` a JSON object of those that people read (name -> how their news is grouped, see lua/lib/group.lua);
    `limits` one of those whose events are limited (name -> most in a minute), which teams share fairly; `answering` a JSON list of
    those whose other side says what becomes of an alert there;
    `deadlines_ms` one by severity: one channel's time before the next may take over.
    """

    lease: timedelta
    most_claims: int
    deadlines_ms: str
    channels: Sequence[str]
    change_channels: str = "[]"
    words: str = "{}"
    limits: str = "{}"
    team: str = ""
    answering: str = "[]"


@dataclass(frozen=True)
class Done:
    """An attempt that was made, what came of it, and what is left to try."""

    attempt: Attempt
    outcome: Outcome
    next_channel: str
    most_attempts: int
    receipts: str = ""  # how PagerDuty is looked at for what it took, see lua/lib/receipt.lua
    is_doubtful: bool = False  # its failure or slowness may be this process's own
    ended: float = field(default_factory=time.monotonic)

    def verdict(self, rules: BreakerRules) -> str:
        """What it tells of the endpoint, see `BreakerRules`."""
        seconds = 0 if self.is_doubtful else self.ended - self.attempt.begun
        verdict = rules.verdict(self.outcome.verb, self.outcome.reason, seconds)
        return "" if self.is_doubtful and verdict == "failed" else verdict

    @property
    def is_last(self) -> bool:
        """Whether the event is a dead letter now: refused by its last channel, or no attempt is left.

        An acknowledge or resolve that one place refuses may still be taken by another one.
        """
        if self.outcome.verb == "refused":
            return not self.next_channel and self.attempt.action in ("trigger", "change")
        return self.outcome.verb in ("retry", "minimal") and self.attempt.attempts >= self.most_attempts


@dataclass(frozen=True)
class Begun:
    """What came of beginning: attempts to make, and lanes to begin once more with nothing beside them."""

    attempts: Sequence[tuple[Claim, Attempt]]
    suspects: Sequence[Claim]


def _begin(claim: Claim, token: str, plan: Plan, alone: str) -> Call:
    head = ("begin", claim.lane, token, milliseconds(plan.lease), plan.most_claims, plan.deadlines_ms)
    return (*head, plan.change_channels, plan.words, plan.limits, plan.team, alone, plan.answering, *plan.channels)


def _attempt(lane: str, reply: Sequence[Any]) -> Attempt:
    _, event_id, action, channel, key_id, minimal, attempts, body, patience, endpoint = reply
    return Attempt(
        lane, event_id, action, channel, key_id, minimal == "1", int(attempts), body, int(patience), endpoint
    )


class Outbox:
    """What must be sent, in lanes: one lane is one dedup key for one destination, held by one caller at a time."""

    def __init__(self, client: Any, keys: Keys, breaker: BreakerRules | None = None) -> None:
        self._scripts = Scripts(client, keys)
        self._breaker = breaker or BreakerRules()
        self._breaker_spec = self._breaker.spec

    def claim(
        self, limit: int, lease: timedelta, token: str, done: Sequence[Done] = (), *, answers_hint: bool = True
    ) -> list[Claim]:
        """Up to `limit` due lanes that nobody else holds. What was `done` is recorded first, in the same round trip.

        `answers_hint`: the next alert may call a drain again; where lanes are left, one is called at once.
        """
        calls: list[Call] = [self._finish(one, token) for one in done]
        asks = limit > 0 or answers_hint
        if asks:
            calls.append(("claim", limit, milliseconds(lease), token, "1" if answers_hint else ""))
        replies = self._scripts.run_many(calls) if calls else []
        return [Claim(lane, lane.partition("@")[2]) for lane in (replies[-1] if asks else [])]

    def begin(self, claims: Sequence[tuple[Claim, Plan]], token: str, *, alone: bool = False) -> Begun:
        """The attempts to make now, in one round trip: at most one for each lane (none if skipped, paused, empty, taken over).

        `alone`: nothing is sent beside it. Only then a suspect is begun: one that may have killed its worker.
        """
        calls = [_begin(claim, token, plan, "1" if alone else "") for claim, plan in claims]
        replies = self._scripts.run_many(calls) if calls else []
        answered = [(claim, reply) for (claim, _), reply in zip(claims, replies, strict=True)]
        return Begun(
            [(claim, _attempt(claim.lane, reply)) for claim, reply in answered if reply[0] == "send"],
            [claim for claim, reply in answered if reply[0] == "suspect"],
        )

    def record(self, done: Sequence[Done], token: str) -> None:
        """Record what came of attempts; where the lease was lost, what it was counts no longer."""
        if done:
            self._scripts.run_many([self._finish(one, token) for one in done])

    def _finish(self, done: Done, token: str) -> Call:
        attempt, outcome = done.attempt, done.outcome
        return (
            "finish",
            attempt.lane,
            token,
            attempt.event_id,
            outcome.verb,
            outcome.reason,
            attempt.channel,
            attempt.key_id,
            outcome.delay_ms,
            "1" if outcome.unclear else "",
            done.next_channel,
            done.most_attempts,
            attempt.endpoint,
            done.verdict(self._breaker),
            self._breaker_spec,
            done.receipts,
        )

    def sweep(self, older_than: timedelta, *, page: int = 500) -> int:
        """Give a due time to every waiting event whose lane has lost its own. Returns how many were mended."""
        offset = mended = 0
        while True:
            seen, fixed = self._scripts.run("sweep", milliseconds(older_than), offset, page)
            mended += int(fixed)
            offset += page
            if int(seen) < page:
                return mended
