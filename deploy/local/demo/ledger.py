import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import redis

ENDS: Final = {"sent": "delivered", "merged": "merged", "suppressed": "suppressed", "dead": "dead"}
LONGEST_BLOCK: Final = 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the ledger. `at` is in milliseconds by the fleet's clock."""

    at: int
    name: str
    reason: str
    detail: str


@dataclass(slots=True)
class Event:
    """One event as the ledger tells it, step by step."""

    id: str
    key: str = ""
    action: str = ""
    service: str = ""
    steps: list[Step] = field(default_factory=list)

    @property
    def subject(self) -> tuple[str, str]:
        """What the witnesses know it by: dedup key and action."""
        return self.key, self.action

    @property
    def end(self) -> Step | None:
        """The step that ended its story; None while it is under way. A dead letter that is replayed is so again."""
        last = next((step for step in reversed(self.steps) if step.name in (*ENDS, "replayed")), None)
        return last if last and last.name in ENDS else None

    @property
    def fate(self) -> str:
        """What became of it: delivered, merged, suppressed, dead, or pending."""
        return ENDS[self.end.name] if self.end else "pending"

    @property
    def took(self) -> float:
        """Seconds from its acceptance to its end, or to its last step."""
        return ((self.end or self.steps[-1]).at - self.steps[0].at) / 1000


class Ledger:
    """The ledger as it stands in Redis: read only, without a line of the code that writes it."""

    def __init__(self, redis_url: str, prefix: str) -> None:
        self._client: Any = redis.Redis.from_url(redis_url, decode_responses=True, protocol=2, socket_timeout=5)
        self._prefix = prefix
        self._after = "0-0"
        self._events: dict[str, Event] = {}

    @property
    def events(self) -> list[Event]:
        """Every event so far, oldest first."""
        return list(self._events.values())

    def follow(self, is_enough: Callable[[], bool], seconds: float) -> Iterator[tuple[Event, Step]]:
        """The steps as they are taken, until it is enough; at most for so long."""
        deadline = time.monotonic() + seconds
        while not is_enough() and (left := deadline - time.monotonic()) > 0:
            yield from self._read(min(left, LONGEST_BLOCK))

    def close(self) -> None:
        """Let go of the server."""
        self._client.close()

    def _read(self, seconds: float) -> Iterator[tuple[Event, Step]]:
        stream = f"{self._prefix}ledger"
        for _, entries in self._client.xread({stream: self._after}, block=max(1, round(seconds * 1000))) or ():
            for entry_id, fields in entries:
                self._after = entry_id
                yield self._take(fields)

    def _take(self, fields: dict[str, str]) -> tuple[Event, Step]:
        event = self._events.setdefault(fields["e"], Event(fields["e"]))
        step = Step(int(fields["t"]), fields["s"], fields["r"], fields["d"])
        event.steps.append(step)
        if not event.key:
            self._identify(event)
        return event, step

    def _identify(self, event: Event) -> None:
        """Ask the event's row what it is about; one that was refused has nothing but its body."""
        row = self._client.hgetall(f"{self._prefix}event:{event.id}")
        alert = self._client.hgetall(f"{self._prefix}alert:{row['uid']}") if row.get("uid") else {}
        if alert:
            event.key, event.action, event.service = alert["dedup_key"], row["action"], alert["service"]
        elif row.get("body"):
            body = json.loads(row["body"])
            event.key, event.action, event.service = body["dedup_key"], body["event_action"], body["service"]
