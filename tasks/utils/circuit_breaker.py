"""Leaves an endpoint alone that does not answer well: one breaker per endpoint, shared by all workers through Redis."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
import uuid
from collections import Counter
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

import redis
import structlog

from tasks.utils.breaker_rules import BreakerRules
from tasks.utils.connect import connect
from tasks.utils.error_handler import PermanentError, TransientError
from tasks.utils.keys import Keys
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tasks.utils.breaker_rules import Verdict

P = ParamSpec("P")
R = TypeVar("R")

PROBE_LEASE: Final = timedelta(seconds=30)
SERVER_FAULT: Final = 500
TIMED_OUT: Final = 408

log = structlog.get_logger("tocsin.breaker")


class CircuitOpenError(TransientError):
    """The endpoint is left alone for now; `since` says since when it has not answered."""

    def __init__(self, name: str, retry_after: float, since: datetime, *, is_forced: bool = False) -> None:
        what = "has been switched off by hand" if is_forced else "has not answered"
        text = f"{name} {what} since {since:%H:%M:%SZ}; it is asked again in {retry_after:.0f} s"
        super().__init__(text, retry_after=retry_after)
        self.name = name
        self.since = since
        self.is_forced = is_forced


@dataclass(frozen=True)
class Pass:
    """Leave to make one call; to be given back with what came of it. A probe is the only call of a half-open breaker."""

    token: str
    begun: float
    is_probe: bool


class CircuitBreaker:
    """A breaker by name: an object (`enter`, `leave`), a context (`with breaker.guard():`), or a decorator, as docs/tools.md shows.

    Without a client it uses the configured server; rules that are not given are those of `pagerduty.circuit_breaker`. A decorated
    function has a breaker of its own unless a name is given. While Redis is away, calls are let through and counted in `counts`.
    """

    def __init__(  # noqa: PLR0913 - each a keyword of the decorator that users write
        self,
        name: str = "",
        client: Any = None,
        keys: Keys | None = None,
        *,
        failure_threshold: int | None = None,
        timeout: float | None = None,
        rules: BreakerRules | None = None,
        probe_lease: timedelta = PROBE_LEASE,
    ) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self._given = (client, keys, rules)
        self._changes = {
            **({"threshold": failure_threshold} if failure_threshold is not None else {}),
            **({"pause": timedelta(seconds=timeout)} if timeout is not None else {}),
        }
        self._lease_ms = milliseconds(probe_lease)

    @functools.cached_property
    def _wiring(self) -> tuple[Scripts, BreakerRules]:
        """Made when first needed, so that a decorator costs nothing at import."""
        client, keys, rules = self._given
        if client is None or keys is None:
            client, keys, configured = _configured()
            rules = rules or configured
        rules = replace(rules or BreakerRules(), **self._changes)  # type: ignore[arg-type]
        return Scripts(client, keys), replace(rules, longest_pause=max(rules.longest_pause, rules.pause))

    def enter(self) -> Pass:
        """Leave to make one call now. Raises CircuitOpenError when none may be made."""
        token = uuid.uuid4().hex
        answer = self._ask("breaker_enter", self.name, token, self._lease_ms) or ["call"]
        if answer[0] == "shut":
            _, at, forced = answer[2].rsplit(" ", 2)
            since = datetime.fromtimestamp(int(at) / 1000, UTC)
            self.counts["shut"] += 1
            raise CircuitOpenError(self.name, int(answer[1]) / 1000, since, is_forced=forced == "forced")
        return Pass(token, time.monotonic(), answer[0] == "probe")

    def leave(self, ticket: Pass, error: BaseException | None = None) -> None:
        """Tell what came of the call: the error it raised, or None."""
        rules = self._wiring[1]
        is_slow = time.monotonic() - ticket.begun > rules.slow_after.total_seconds()
        verdict = "failed" if is_slow else verdict_of(error)
        self.counts[verdict or "unknown"] += 1
        self._ask("breaker_leave", self.name, ticket.token, verdict, rules.spec)

    @contextmanager
    def guard(self) -> Iterator[Pass]:
        """A block that is one call."""
        ticket = self.enter()
        try:
            yield ticket
        except BaseException as error:
            self.leave(ticket, error)
            raise
        self.leave(ticket)

    @asynccontextmanager
    async def guard_async(self) -> AsyncIterator[Pass]:
        """The same for coroutines; Redis is asked on a thread."""
        ticket = await asyncio.to_thread(self.enter)
        try:
            yield ticket
        except BaseException as error:
            await asyncio.to_thread(self.leave, ticket, error)
            raise
        await asyncio.to_thread(self.leave, ticket)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function behind the breaker."""
        self.name = self.name or f"{function.__module__}.{function.__qualname__}"
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def later(*args: P.args, **kwargs: P.kwargs) -> Any:
                async with self.guard_async():
                    return await function(*args, **kwargs)

            return cast("Callable[P, R]", later)

        @functools.wraps(function)
        def at_once(*args: P.args, **kwargs: P.kwargs) -> R:
            with self.guard():
                return function(*args, **kwargs)

        return at_once

    def _ask(self, script: str, *args: str | float) -> Any:
        """What the script answers; None while the server does not: then calls go through."""
        try:
            return self._wiring[0].run(script, *args)
        except redis.RedisError as error:
            self.counts["unguarded"] += 1
            log.warning("breaker_unguarded", breaker=self.name, error=type(error).__name__)
            return None


def verdict_of(error: BaseException | None) -> Verdict:
    """What an error tells of the endpoint: network, time-outs and 5xx are its failures; a 4xx is an answer; anything else says nothing."""
    if error is None or isinstance(error, PermanentError):
        return "answered"
    if isinstance(error, CircuitOpenError):  # another one's
        return ""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return "failed" if status >= SERVER_FAULT or status == TIMED_OUT else "answered"
    is_network = any(
        kind.__module__.startswith("httpx") and kind.__name__ == "TransportError" for kind in type(error).__mro__
    )
    if is_network or isinstance(error, TransientError | ConnectionError | TimeoutError):
        return "failed"
    return ""


def _configured() -> tuple[Any, Keys, BreakerRules]:
    from config.settings import load  # noqa: PLC0415 - only scripts without wiring read settings here

    settings = load()
    client = connect(settings.redis.url.get_secret_value())
    return client, Keys(settings.redis.prefix), breaker_rules(settings.pagerduty.circuit_breaker)


def breaker_rules(section: Any) -> BreakerRules:
    """The settings section as rules."""
    return BreakerRules(
        section.failure_threshold,
        section.window,
        section.recovery_timeout,
        max(section.longest_pause, section.recovery_timeout),
        section.slow_after,
    )
