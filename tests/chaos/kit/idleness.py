"""Watches for workers that do nothing although the server is up and their queue is not empty, and for rows that nobody takes up."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import redis

from tasks.utils.connect import connect
from workers.queues import GROUPS

if TYPE_CHECKING:
    from tests.chaos.kit.stage import Stage

LOOK: Final = 0.5  # seconds


class Idleness(threading.Thread):
    """Counts, for every worker, the seconds without a task while the server was up and messages waited at every look."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        self.longest: dict[str, float] = defaultdict(float)
        self.ended = threading.Event()
        self._stage = stage
        self._since: dict[str, float] = {}

    def run(self) -> None:
        while not self.ended.is_set():
            with connect(self._stage.fleet.server.url, socket_timeout=2.0) as client, client.pubsub() as events:
                try:
                    events.psubscribe("*celeryev*")
                    self._watch(client, events)
                except redis.RedisError:
                    self._since.clear()
            self.ended.wait(LOOK)

    def close(self) -> None:
        """Stop watching."""
        self.ended.set()
        self.join(timeout=10)

    def _watch(self, client: Any, events: Any) -> None:
        keys = self._stage.fleet.keys
        while not self.ended.is_set():
            busy = self._heard_of(events, time.monotonic() + LOOK)
            waiting = {group: sum(client.llen(keys.queue(q)) for q in queues) for group, queues in GROUPS.items()}
            self._look(busy, waiting)

    def _heard_of(self, events: Any, until: float) -> set[int]:
        """Process ids of the workers that have done something until then."""
        heard = set()
        while (left := until - time.monotonic()) > 0:
            message = events.get_message(ignore_subscribe_messages=True, timeout=left)
            if message is not None and "task" in message["channel"]:
                heard.add(_pid(json.loads(message["data"])))
        return heard

    def _look(self, busy: set[int], waiting: dict[str, int]) -> None:
        now = time.monotonic()
        for name in self._stage.names(*GROUPS):
            process = self._stage.fleet.processes.get(name)
            group = name.partition("-")[0]
            if process is None or name in self._stage.away or process.pid in busy or not waiting[group]:
                self._since[name] = now
            self.longest[name] = max(self.longest[name], now - self._since.setdefault(name, now))


def _pid(message: dict[str, Any]) -> int:
    """A worker's name ends with its process id."""
    return int(message["headers"]["hostname"].rpartition("-")[2])
