"""What waits where, and since when: rows and messages, read once in one round trip."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.utils.keys import Keys

QUEUES: Final[dict[str, str]] = {  # queue -> the worker group that takes from it
    "alert": "alert",
    "webhook": "webhook",
    "delivery": "delivery",
    "escalation": "delivery",
    "maintenance": "maintenance",
}
ROWS: Final = ("inbox", "outbox", "bundles", "webhooks", "timers")
HINT: Final = "hint-"


@dataclass(frozen=True)
class Waiting:
    """How many wait in one place, and for how long (ms) the first of them has been due. `taken`: in the hands of workers.

    `age`: how long (ms) the first has waited; what is tried again later is old, and not late.
    """

    count: int
    late: int = 0
    taken: int = 0
    age: int = 0


@dataclass(frozen=True)
class Standstill:
    """Everything that waits, by name, at the moment `now` (ms); `dead`: dead letters."""

    now: int
    rows: Mapping[str, Waiting]
    queues: Mapping[str, Waiting]
    dead: int


class WaitingReader:
    """Reads it. Messages of foreign producers carry no time: of those it is remembered when they were first seen to be next."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def read(self, now: int) -> Standstill:
        """What waits at this moment of the fleet's clock."""
        keys, pipe = self._keys, self._client.pipeline(transaction=False)
        for count, due in self._rows():
            pipe.zcount(count, "-inf", "(+inf")
            pipe.zrange(due, 0, 0, withscores=True)
        for queue, group in QUEUES.items():
            pipe.llen(keys.queue(queue))
            pipe.hlen(keys.queue(f"unacked:{group}"))
            pipe.lindex(keys.queue(queue), -1)
        pipe.zrange(keys.queued, 0, 0, withscores=True)
        pipe.hgetall(keys.tails)
        pipe.zcard(keys.dead)
        *found, first_out, tails, dead = pipe.execute()
        rows, queues = found[: 2 * len(ROWS)], found[2 * len(ROWS) :]
        nexts = dict(zip(QUEUES, map(_message, queues[2::3]), strict=True))
        standing = {name: _due(now, *rows[2 * at : 2 * at + 2]) for at, name in enumerate(ROWS)}
        accepted = _due(now, 0, first_out).late
        return Standstill(
            now=now,
            rows={**standing, "outbox": replace(standing["outbox"], age=accepted)},
            queues={
                name: Waiting(queues[3 * at], self._late(name, nexts[name], tails, now), queues[3 * at + 1])
                for at, name in enumerate(QUEUES)
            },
            dead=dead,
        )

    def _rows(self) -> Sequence[tuple[str, str]]:
        """For each of ROWS where to count, and where the first due time is."""
        keys = self._keys
        return (
            (keys.inbox_due, keys.inbox_due),
            (keys.queued, keys.outbox_due),
            (keys.untold, keys.groups_due),
            (keys.webhooks_due, keys.webhooks_due),
            (keys.escalations_due, keys.escalations_due),
        )

    def _late(self, queue: str, message: Mapping[str, Any], tails: Mapping[str, str], now: int) -> int:
        """How long the next message of a queue has been there at least."""
        if not message:
            if queue in tails:
                self._client.hdel(self._keys.tails, queue)
            return 0
        headers = message.get("headers") or {}
        name = str(headers.get("id", ""))
        if since := _said(name, headers):
            return max(0, now - since)
        known, _, first = tails.get(queue, "").partition(" ")
        if known == name and first:
            return max(0, now - int(first))
        self._client.hset(self._keys.tails, queue, f"{name} {now}")
        return 0


def _said(name: str, headers: Mapping[str, Any]) -> int:
    """When a message says that it was made (ms); 0 if it does not."""
    if name.startswith(HINT):
        return int(name.split("-")[1])
    due = str(headers.get("tocsin_slot") or "").rpartition("@")[2]
    try:
        return int(datetime.fromisoformat(due).timestamp() * 1000) if due else 0
    except ValueError:
        return 0


def _message(raw: str | None) -> Mapping[str, Any]:
    if not raw:
        return {}
    try:
        message = json.loads(raw)
    except ValueError:
        message = None
    return message if isinstance(message, dict) else {"headers": {"id": "unreadable"}}


def _due(now: int, count: int, first: Sequence[tuple[str, float]]) -> Waiting:
    is_due = first and first[0][1] != float("inf")
    late = max(0, now - int(first[0][1])) if is_due else 0
    return Waiting(count, late, age=late)
