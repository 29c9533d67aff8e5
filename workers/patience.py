"""How to come back to a server that refuses: ever more slowly, and without saying the same again and again."""

from __future__ import annotations

from typing import Final

FIRST: Final = 0.5  # seconds
LONGEST: Final = 3.0
CALM: Final = 10.0  # seconds without a refusal, after which the next one is news
SAY_AGAIN: Final = 30.0


class Patience:
    """Counts refusals. Times are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._pause = 0.0
        self._last = float("-inf")
        self._said: tuple[str, float] = ("", float("-inf"))

    def pause(self, now: float) -> float:
        """How long to wait after one more refusal."""
        self._pause = FIRST if now - self._last > CALM else min(self._pause + FIRST, LONGEST)
        self._last = now
        return self._pause

    def is_news(self, why: str, now: float) -> bool:
        """Whether this reason is worth a line: another one than last, or the same after a while."""
        text, at = self._said
        if why == text and now - at < SAY_AGAIN:
            return False
        self._said = (why, now)
        return True
