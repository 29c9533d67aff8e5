from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

WINDOW = 60.0


class SlidingWindow:
    """At most `limit` calls per key in any 60 seconds; None lifts the limit. Refused calls do not count."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._calls: dict[str, deque[float]] = {}

    def admit(self, key: str, now: float) -> bool:
        """Whether this call is within the limit; if so it is counted."""
        if self.limit is None:
            return True
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - WINDOW:
            calls.popleft()
        if len(calls) >= self.limit:
            return False
        calls.append(now)
        return True


@dataclass(frozen=True, slots=True)
class Quota:
    """Where one token stands after a call. `reset` is in whole seconds from now, as the REST API says it."""

    admitted: bool
    limit: int
    remaining: int
    reset: int


class FixedWindow:
    """At most `limit` calls per token in each minute that begins with the token's first call; None lifts the limit."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._windows: dict[str, tuple[float, int]] = {}

    def admit(self, token: str, now: float) -> Quota | None:
        """Count this call and say where the token stands; None when there is no limit."""
        if self.limit is None:
            return None
        started, used = self._windows.get(token, (now, 0))
        if now >= started + WINDOW:
            started, used = now, 0
        admitted = used < self.limit
        used = min(used + 1, self.limit)
        self._windows[token] = (started, used)
        return Quota(admitted, self.limit, self.limit - used, max(1, math.ceil(started + WINDOW - now)))
