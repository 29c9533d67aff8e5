"""Leave to make calls, within a limit that all processes share; no more is waited for it than the caller has patience."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from tasks.utils.error_handler import PermanentError
from tasks.utils.rate_limiter import TOO_MANY, Rate, RateLimiter, number_in
from tasks.utils.rest.errors import Said, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tasks.utils.keys import Keys

MINUTE: Final = timedelta(minutes=1)
ON_THE_WAY: Final = timedelta(seconds=2)  # so much longer may one call travel than another
SHORT_PATIENCE: Final = timedelta(seconds=2)
BARE_PAUSE: Final = (30.0, 60.0)  # seconds of rest after a 429 that does not say how long
LONGEST_PAUSE: Final = 600.0
OF_THEIR_OWN: Final = (
    "POST /incidents",
    "PUT /incidents",
    "GET /oncalls",
)  # PagerDuty limits these besides, and does not say how


@dataclass(frozen=True)
class Allowance:
    """So many calls a minute for each key, whichever process makes them; `share` of it (1 = all) for one kind of work.

    `patience` is how long one call waits for its turn: people wait, tasks come back when it says.
    """

    client: Any
    keys: Keys
    per_minute: int
    patience: timedelta = SHORT_PATIENCE
    share: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    _limiters: dict[str, RateLimiter] = field(default_factory=dict, repr=False)

    def limited(self, share: float | None = None, patience: timedelta | None = None) -> Self:
        """The same budget with another share of it, another patience."""
        share = self.share if share is None else share
        if not 0 < share <= 1:
            raise PermanentError(f"a share is more than 0 and at most 1, not {share}")
        return replace(self, share=share, patience=self.patience if patience is None else patience)

    def take(self, name: str, what: str = "") -> None:
        """Book one call of `what`, after a wait if need be. Raises ThrottledError where the wait is longer than the patience."""
        left = self.patience.total_seconds()
        for limiter in self._of(name, what):
            while wait := limiter.acquire().total_seconds():
                if wait > left:
                    text = f"PagerDuty's limit of {self.per_minute} calls a minute is used up; there is room in {wait:.0f} s"
                    raise ThrottledError(text, Said(0), retry_after=wait)
                left -= wait
                self.sleep(wait)

    def heed(self, name: str, status: int, headers: Mapping[str, str], what: str = "") -> float:
        """Take the answer's word for what is left, for all processes. How long to stay away (seconds), 0 where the call was admitted."""
        pause = _pause(headers) if status == TOO_MANY else 0.0
        told = {**headers, "retry-after": str(pause)} if pause else headers
        self._limiter(self._meant(name, status, headers, what)).heed(told, status)
        return pause

    def _of(self, name: str, what: str) -> list[RateLimiter]:
        """The narrowest first: whoever has used that up must not spend what others may have."""
        names = [f"{name}:{what}"] if what in OF_THEIR_OWN else []
        return [
            *map(self._limiter, names),
            *([self._limiter(name, self.share)] if self.share < 1 else []),
            self._limiter(name),
        ]

    def _meant(self, name: str, status: int, headers: Mapping[str, str], what: str) -> str:
        """Which limit an answer speaks of: that of the key, unless it is lower, or does not say, where an operation has its own."""
        limit = number_in(headers.get("ratelimit-limit", ""))
        is_own = limit < self.per_minute if limit is not None else status == TOO_MANY
        return f"{name}:{what}" if what in OF_THEIR_OWN and is_own else name

    def _limiter(self, name: str, share: float = 1.0) -> RateLimiter:
        full = name if share == 1 else f"{name}:{share:.0%}"
        if full not in self._limiters:
            rate = Rate.within(max(2, int(self.per_minute * share)), MINUTE + ON_THE_WAY)
            self._limiters[full] = RateLimiter(full, rate, self.client, self.keys)
        return self._limiters[full]


def _pause(headers: Mapping[str, str]) -> float:
    """What a 429 asks for; where it does not say, a time by chance, lest all come back at once."""
    for name in ("retry-after", "ratelimit-reset"):
        asked = number_in(headers.get(name, ""))
        if asked is not None:
            return max(1.0, min(asked, LONGEST_PAUSE))
    return random.uniform(*BARE_PAUSE)  # noqa: S311 - no secret
