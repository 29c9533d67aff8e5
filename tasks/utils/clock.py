"""The one clock as Python sees it: the server's TIME plus the offset that only tests set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasks.utils.keys import Keys


class Clock:
    """Tells the fleet's time. Scripts read the same clock inside Lua (lua/lib/clock.lua)."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def now(self) -> datetime:
        """This moment, in UTC."""
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    def now_ms(self) -> int:
        """This moment in whole milliseconds since the epoch."""
        seconds, micros = self._client.time()
        return int(seconds) * 1000 + int(micros) // 1000 + int(self._client.get(self._keys.clock) or 0)


class MovableClock(Clock):
    """A clock tests can set forward; every process on the same server moves with it."""

    def advance(self, by: timedelta) -> None:
        """Move the clock forward and wake every pump, which may have slept past its time."""
        self._client.incrby(self._keys.clock, round(by.total_seconds() * 1000))
        self._client.lpush(self._keys.wake, "1")
