from __future__ import annotations

import uuid
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy.sandbox.due import Timer

KEPT = 50_000
KEPT_ATTEMPTS = 20


class State(StrEnum):
    """Where a delivery stands; all but the first are ends."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DROPPED = "dropped"
    NOT_SENT = "not_sent"


@dataclass(slots=True)
class Attempt:
    """One request to the receiver, in real epoch seconds. `status` is 0 where no answer came; `error` says why not."""

    at: float
    ended_at: float
    status: int
    error: str


@dataclass(slots=True)
class Delivery:
    """One event on its way to one subscription. `at` is its time on the sandbox's clock.

    An `is_extra` one is the work of a fault: tried once, and what becomes of it says nothing of the subscription.
    """

    subscription_id: str
    event_id: str
    event_type: str
    resource_id: str
    at: float
    body: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    n: int = 0
    fault: str = ""
    is_extra: bool = False
    is_forged: bool = False
    not_before: float = 0.0
    state: State = State.PENDING
    reason: str = ""
    tried: int = 0
    attempts: list[Attempt] = field(default_factory=list)

    def add(self, attempt: Attempt) -> None:
        """Note an attempt; the oldest are forgotten."""
        self.tried += 1
        self.attempts.append(attempt)
        del self.attempts[:-KEPT_ATTEMPTS]

    def to_json(self) -> dict[str, object]:
        """The delivery as the witness tells it, without its body."""
        return {
            "n": self.n,
            "id": self.id,
            "subscription": self.subscription_id,
            "event_id": self.event_id,
            "event_type": self.event_type,
            "resource": self.resource_id,
            "at": self.at,
            "state": self.state.value,
            "reason": self.reason,
            "fault": self.fault,
            "tried": self.tried,
            "attempts": [
                {"at": one.at, "ended_at": one.ended_at, "status": one.status, "error": one.error}
                for one in self.attempts
            ],
        }


@dataclass(slots=True)
class Lane:
    """What waits for one subscription about one resource, oldest first: the next one goes when the first has ended."""

    subscription_id: str
    resource_id: str
    waiting: deque[Delivery] = field(default_factory=deque)
    held: Delivery | None = None
    timer: Timer | None = None
    is_busy: bool = False


class Witness:
    """The sandbox's own witness of its webhooks: the latest deliveries in order, and counts of all of them."""

    def __init__(self, kept: int = KEPT) -> None:
        self._deliveries: deque[Delivery] = deque(maxlen=kept)
        self._last = 0
        self.counts: Counter[str] = Counter()

    def write(self, delivery: Delivery) -> None:
        """Note a delivery that begins; it is shown as it stands when asked."""
        self._last += 1
        delivery.n = self._last
        self._deliveries.append(delivery)
        self.counts[State.PENDING.value] += 1

    def end(self, delivery: Delivery, state: State, reason: str = "") -> None:
        """Note what became of it; its body is no longer needed."""
        self.counts[delivery.state.value] -= 1
        delivery.state, delivery.reason, delivery.body = state, reason, b""
        self.counts[state.value] += 1

    def clear(self) -> None:
        """Forget what has ended; numbers go on."""
        pending = [one for one in self._deliveries if one.state is State.PENDING]
        self._deliveries = deque(pending, maxlen=self._deliveries.maxlen)
        self.counts = Counter({State.PENDING.value: len(pending)})

    def page(self, since: int, limit: int) -> dict[str, object]:
        """The deliveries after number `since`, where to go on from, whether there are more, and the counts."""
        after = (one for one in self._deliveries if one.n > since)
        found = list(islice(after, limit + 1))
        shown = found[:limit]
        return {
            "deliveries": [one.to_json() for one in shown],
            "next": shown[-1].n if shown else min(since, self._last),
            "more": len(found) > limit,
            "counts": {state.value: self.counts[state.value] for state in State},
        }
