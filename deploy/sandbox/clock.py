from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """The sandbox's own time: real time plus an offset that only ever grows."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Epoch seconds as the sandbox sees them."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward. Windows, faults with a duration and new timestamps move with it."""
        self.offset += seconds


def timestamp(at: float) -> str:
    """Epoch seconds as PagerDuty writes them: 2019-12-01T20:00:00Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
