from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """The sandbox's own time: real time plus an offset that only ever grows."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._standing: float | None = None

    def now(self) -> float:
        """Epoch seconds as the sandbox sees them."""
        return time.time() + self.offset if self._standing is None else self._standing

    def advance(self, seconds: float) -> None:
        """Move the clock forward. Windows, faults with a duration and new timestamps move with it."""
        self.offset += seconds

    @contextmanager
    def standing_at(self, at: float) -> Iterator[None]:
        """It is that time as long as this lasts."""
        before, self._standing = self._standing, at
        try:
            yield
        finally:
            self._standing = before


def timestamp(at: float) -> str:
    """Epoch seconds as PagerDuty writes them: 2019-12-01T20:00:00Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
