"""Keeps calls under a limit that all workers share: says how long to wait, and never waits itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

import redis
import structlog

from tasks.utils.connect import connect
from tasks.utils.error_handler import PermanentError
from tasks.utils.keys import Keys
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Mapping

TOO_MANY: Final = 429
MINUTE: Final = timedelta(minutes=1)
NONE: Final = timedelta(0)
LONGEST: Final = 86_400.0  # seconds a header may ask for; more is no time

log = structlog.get_logger("tocsin.limits")


@dataclass(frozen=True)
class Rate:
    """One in every `interval`, and `burst` at once after a rest: no more than `burst + T / interval` in any time T."""

    interval: timedelta
    burst: int = 1

    @classmethod
    def within(cls, most: int, per: timedelta = MINUTE, burst: int = 0) -> Self:
        """The rate that keeps any span of `per` at `most`; bursts take their part of it (an eighth if not said)."""
        burst = min(burst or max(most // 8, 1), max(most - 1, 1))
        return cls(per / max(most - burst, 1), burst)

    @property
    def interval_ms(self) -> float:
        """As scripts take it."""
        return self.interval.total_seconds() * 1000


class RateLimiter:
    """A limit by name, such as that of one REST key. Without a client it uses the configured server and PagerDuty's 960 a minute.

    While Redis is away, calls are let through and counted in `counts`.
    """

    def __init__(self, name: str, rate: Rate | None = None, client: Any = None, keys: Keys | None = None) -> None:
        if client is None or keys is None:
            client, keys, configured = _configured()
            rate = rate or configured
        self._name = name
        self._rate = rate or Rate.within(960)
        self._scripts = Scripts(client, keys)
        self.counts: Counter[str] = Counter()

    def acquire(self, cost: int = 1) -> timedelta:
        """Nothing: the call may be made and is booked. Else how long to wait before asking again; nothing is booked then.

        Raises PermanentError for a cost that never fits.
        """
        if not 1 <= cost <= self._rate.burst:
            raise PermanentError(f"a cost of {cost} never fits: 1 to {self._rate.burst} can be taken at once; split it")
        rate = self._rate
        wait = timedelta(milliseconds=int(self._ask("limit_take", rate.interval_ms, rate.burst, cost) or 0))
        self.counts["put_off" if wait else "taken"] += 1
        return wait

    async def acquire_async(self, cost: int = 1) -> timedelta:
        """The same for coroutines; Redis is asked on a thread."""
        return await asyncio.to_thread(self.acquire, cost)

    def heed(self, headers: Mapping[str, str], status: int = 200) -> None:
        """Take an answer's word for what is left: `Retry-After` of a 429, `ratelimit-remaining`, `-reset` and `-limit`."""
        given = {name.lower(): value for name, value in headers.items()}
        left, reset, limit = (number_in(given.get(f"ratelimit-{name}", "")) for name in ("remaining", "reset", "limit"))
        rest = number_in(given.get("retry-after", "")) if status == TOO_MANY else None
        if rest is None and (status == TOO_MANY or left == 0):
            rest = reset if reset is not None else MINUTE.total_seconds() if status == TOO_MANY else None
        # What is left bounds the burst; a lower limit must not become one call a minute for that.
        theirs = (
            Rate.within(int(limit), burst=min(self._rate.burst, int(limit) * 2 // 3)).interval_ms if limit else None
        )
        if (rest, left, theirs) != (None, None, None):
            told = (None if rest is None else round(rest * 1000), left, theirs)
            figures = ("" if value is None else value for value in told)
            self._ask("limit_heed", self._rate.interval_ms, self._rate.burst, *figures)

    def _ask(self, script: str, *args: str | float) -> Any:
        """What the script answers; None while the server does not: then calls go through."""
        try:
            return self._scripts.run(script, self._name, *args)
        except redis.RedisError as error:
            self.counts["unlimited"] += 1
            log.warning("limit_unguarded", limit=self._name, error=type(error).__name__)
            return None


def number_in(text: str) -> float | None:
    """The number a header says; None for anything else, such as a date."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= LONGEST else None


def _configured() -> tuple[Any, Keys, Rate]:
    from config.settings import load  # noqa: PLC0415 - only scripts without wiring read settings here

    settings = load()
    client = connect(settings.redis.url.get_secret_value())
    return client, Keys(settings.redis.prefix), Rate.within(settings.limits.rest_calls_per_minute)
