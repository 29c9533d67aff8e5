"""Answers kept for a while: computed once for all processes, invalidated by tag, and never a reason to fail."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import redis
import structlog

from tasks.utils.connect import connect
from tasks.utils.error_handler import PermanentError
from tasks.utils.formatters import compact_json
from tasks.utils.keys import Keys
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

DEFAULT_TTL: Final = timedelta(minutes=5)
LONGEST_TTL: Final = timedelta(days=7)
MOST_BYTES: Final = 256 * 1024
MOST_NAME_CHARACTERS: Final = 300
LOOK_AGAIN_SECONDS: Final = 1.0  # while waiting: the one who computes may have died
REST_SECONDS: Final = (
    5.0  # after the server did not answer; a cache that is asked in vain each time would be slower than none
)

log = structlog.get_logger("tocsin.cache")


class CacheManager:
    """Get-or-compute on a Redis server, the configured one (`cache.redis_url`) where none is given.

    Values are JSON. Of several callers that miss at once, in whatever processes, one computes; the others take the stale
    value there may be, or wait for it no longer than `wait`. A computation may take `lock`; then another caller takes over,
    and what the first one brings later is not kept. Without the server everything is computed, nothing is kept.
    `counts` tells how often what happened: hit, computed, stale, waited, gave_up, away, and of what was computed: lapsed, too_large.
    """

    def __init__(
        self,
        client: Any = None,
        keys: Keys | None = None,
        *,
        default_ttl: timedelta = DEFAULT_TTL,
        lock: timedelta = timedelta(seconds=30),
        wait: timedelta = timedelta(seconds=2),
    ) -> None:
        if client is None or keys is None:
            client, keys, default_ttl = _configured()
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._default_ttl = default_ttl
        self._lock = lock
        self._wait = wait
        self._rests_until = 0.0
        self.counts: Counter[str] = Counter()

    def get_or_compute(
        self,
        name: str,
        compute: Callable[[], T],
        *,
        ttl: timedelta | None = None,
        tags: Sequence[str] = (),
        none_ttl: timedelta | None = None,
    ) -> T:
        """The value called `name`, from `compute` where none is fresh; as JSON gives it back, so tuples become lists.

        `tags` may be invalidated together. None is an answer too ("there is no such user"): it is kept for `none_ttl`, or
        not at all. What `compute` raises is passed on and not kept. TypeError or ValueError for a value JSON cannot carry.
        """
        _check(name, tags)
        token = uuid.uuid4().hex
        verdict, value = self._look_or_wait(name, token)
        self.counts["computed" if verdict == "compute" else verdict] += 1
        if value is not None:
            return json.loads(value)  # type: ignore[no-any-return]
        return self._computed(name, token if verdict == "compute" else "", compute, _Keep(ttl, none_ttl, tags))

    def invalidate(self, tag: str) -> bool:
        """Nothing computed until now under `tag` counts any more; one small write, however many values there are.

        False when the server did not answer, so that older values may be served until their time is over.
        """
        _check(tag, ())
        longest = milliseconds(2 * LONGEST_TTL + self._lock)
        return self._ask("cache_invalidate", tag, longest) is not None

    def _look_or_wait(self, name: str, token: str) -> tuple[str, str | None]:
        """What there is to do, and the value where there is one: at once, or when the one who computes is done."""
        end = time.monotonic() + self._wait.total_seconds()
        answer = self._ask("cache_look", name, token, milliseconds(self._lock))
        while answer is not None and answer[0] == "wait":
            left = end - time.monotonic()
            if left <= 0:
                return "gave_up", None
            self._await_end(name, min(left, LOOK_AGAIN_SECONDS))
            answer = self._ask("cache_look", name, token, milliseconds(self._lock))
            if answer is not None and answer[0] == "hit":
                return "waited", answer[1]
        return ("away", None) if answer is None else (answer[0], answer[1] if len(answer) > 1 else None)

    def _await_end(self, name: str, seconds: float) -> None:
        """Return when a computation ends; its mark stays in the list for the others who wait."""
        done = self._keys.cache_done(name)
        with suppress(redis.RedisError):  # the next look finds out
            self._client.blmove(done, done, seconds, "LEFT", "RIGHT")

    def _computed(self, name: str, token: str, compute: Callable[[], T], keep: _Keep) -> T:
        text = ""
        try:
            text = compact_json(compute())
        finally:
            if token:
                self._put(name, token, text, keep)
        return json.loads(text)  # type: ignore[no-any-return]

    def _put(self, name: str, token: str, text: str, keep: _Keep) -> None:
        """End the computation; an empty text, as after an error, keeps nothing and lets the next one try."""
        ttl = keep.time_of(text, self._default_ttl)
        if len(text.encode()) > MOST_BYTES:
            self.counts["too_large"] += 1
            ttl = None
        kept = text if ttl else ""
        fresh = milliseconds(ttl or timedelta(0))
        tags = "\n".join(keep.tags)
        held = self._ask("cache_put", name, token, kept, fresh, fresh, milliseconds(2 * self._wait), tags)
        if held == 0:
            self.counts["lapsed"] += 1

    def _ask(self, script: str, *args: str | float) -> Any:
        """What the script answers; None while the server does not."""
        if time.monotonic() < self._rests_until:
            return None
        try:
            return self._scripts.run(script, *args)
        except redis.RedisError as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            log.warning("cache_away", error=type(error).__name__, meaning="everything is computed anew meanwhile")
            return None


class _Keep:
    """For how long a value is kept, and under which tags."""

    def __init__(self, ttl: timedelta | None, none_ttl: timedelta | None, tags: Sequence[str]) -> None:
        self._ttl = ttl
        self._none_ttl = none_ttl
        self.tags = tags

    def time_of(self, text: str, default: timedelta) -> timedelta | None:
        """How long this value is fresh; None: it is not kept."""
        chosen = self._none_ttl if text == "null" else self._ttl or default
        return min(chosen, LONGEST_TTL) if text and chosen else None


def _check(name: str, tags: Sequence[str]) -> None:
    for text in (name, *tags):
        if not text or len(text) > MOST_NAME_CHARACTERS or "\n" in text:
            mend = f"give it 1 to {MOST_NAME_CHARACTERS} characters in one line"
            raise PermanentError(f"{text[:60]!r} cannot name what is cached; {mend}")


def _configured() -> tuple[Any, Keys, timedelta]:
    from config.settings import load  # noqa: PLC0415 - only scripts without wiring read settings here

    settings = load()
    client = connect(settings.cache.redis_url.get_secret_value())
    return client, Keys(settings.redis.prefix), settings.cache.default_ttl
