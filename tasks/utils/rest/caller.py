"""One call of PagerDuty's REST API from beginning to end: leave, breaker, token, short retries, and what the answer means."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import tenacity

from tasks.utils.circuit_breaker import SERVER_FAULT, TIMED_OUT
from tasks.utils.rate_limiter import TOO_MANY
from tasks.utils.redaction import MASK
from tasks.utils.rest.errors import (
    BusyError,
    NetworkError,
    RefusedError,
    Said,
    ServerFaultError,
    ThrottledError,
    refusal,
    said_by,
)
from tasks.utils.rest.line import Answer, Request
from tasks.utils.rest.parameters import query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta
    from typing import Self

    from tasks.utils.circuit_breaker import CircuitBreaker
    from tasks.utils.rest.allowance import Allowance
    from tasks.utils.rest.credentials import Credentials
    from tasks.utils.rest.line import Line

MOST_RETRY_SECONDS: Final = 5.0
ITEMS: Final = "items"
SAFE: Final = ("GET", "PUT", "DELETE")


@dataclass(frozen=True)
class Caller:
    """Makes calls, from any thread. `sender` is the address of the user in whose name things are changed, if a call names none."""

    line: Line
    credentials: Credentials
    allowance: Allowance
    breaker: CircuitBreaker
    attempts: int = 3
    sender: str | None = None
    sleep: Callable[[float], None] = time.sleep

    def limited(self, share: float | None = None, patience: timedelta | None = None) -> Self:
        """The same with another share of the calls, or another patience."""
        return replace(self, allowance=self.allowance.limited(share, patience))

    def get(self, path: str, filters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What stands there, as PagerDuty's JSON object."""
        return self.call("GET", path, filters=filters)

    def call(  # noqa: PLR0913 - what an HTTP request is made of
        self,
        method: str,
        path: str,
        *,
        filters: Mapping[str, Any] | None = None,
        body: Any = None,
        sender: str | None = None,
        may_repeat: bool | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """PagerDuty's answer, a JSON object; empty where it has none to give. Raises what tasks/utils/rest/errors.py names.

        The few answers that are a bare list have it as `items`.

        `may_repeat`: asking twice does no more than asking once; unless said otherwise, that holds for GET, PUT and DELETE.
        """
        may_repeat = method in SAFE if may_repeat is None else may_repeat
        sender = None if method == "GET" else sender or self.sender
        request = Request(
            method, path, query(filters or {}), body, sender=sender, may_repeat=may_repeat, headers=headers or {}
        )
        retrying = self._retrying(request)
        try:
            answer: dict[str, Any] = retrying(self._attempt, request)
        except RefusedError as error:
            error.was_repeated = retrying.statistics["attempt_number"] > 1
            raise
        return answer

    def close(self) -> None:
        """Close the connections."""
        self.line.close()
        self.credentials.close()

    def _retrying(self, request: Request) -> tenacity.Retrying:
        return tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.attempts) | tenacity.stop_before_delay(MOST_RETRY_SECONDS),
            wait=_wait,
            retry=tenacity.retry_if_exception(lambda error: _helps(request, error)),
            sleep=self.sleep,
            reraise=True,
        )

    def _attempt(self, request: Request) -> dict[str, Any]:
        """One try; a second one at once where a refused token has a successor."""
        authorization = self.credentials.header()
        answer = self._exchange(request, authorization)
        if answer.status == 401 and self.credentials.renew(authorization):
            answer = self._exchange(request, self.credentials.header())
        if 200 <= answer.status < 300:
            return _parsed(request, answer)
        raise refusal(request.what, answer.status, answer.body)

    def _exchange(self, request: Request, authorization: str) -> Answer:
        name = self.credentials.limit
        self.allowance.take(name, request.what)
        answer = self._guarded(request, authorization)
        if pause := self.allowance.heed(name, answer.status, answer.headers, request.what):
            said = said_by(answer.status, answer.body)
            text = f"PagerDuty takes no more calls of this key at {request.what}; come back in {pause:.0f} s"
            raise ThrottledError(text, said, retry_after=pause)
        return answer

    def _guarded(self, request: Request, authorization: str) -> Answer:
        """The answer, and the breaker is told; a 429 or 4xx is no failure of the endpoint."""
        ticket = self.breaker.enter()
        try:
            answer = self.line.exchange(request, authorization)
        except BaseException as error:
            self.breaker.leave(ticket, error)
            raise
        failed = answer.status >= SERVER_FAULT or answer.status == TIMED_OUT
        self.breaker.leave(ticket, TimeoutError() if failed else None)
        return answer if answer.status < 300 else replace(answer, body=_without(authorization, answer.body))


def _without(authorization: str, body: bytes) -> bytes:
    """A refusal's text, in case it repeats the key."""
    secret = authorization.removeprefix("Token token=").removeprefix("Bearer ")
    return body.replace(secret.encode(), MASK.encode())


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, ThrottledError) and error.retry_after:
        return error.retry_after
    return tenacity.wait_random_exponential(multiplier=0.1, max=1.0)(state)


def _helps(request: Request, error: BaseException) -> bool:
    """Whether trying again at once may help, and does no harm."""
    if isinstance(error, ThrottledError):
        return error.status == TOO_MANY
    if isinstance(error, NetworkError | ServerFaultError):
        return request.may_repeat or not error.is_unclear
    return isinstance(error, BusyError)


def _parsed(request: Request, answer: Answer) -> dict[str, Any]:
    if not answer.body:
        return {}
    try:
        parsed = json.loads(answer.body)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, list):
        return {ITEMS: parsed}
    if not isinstance(parsed, dict):
        text = f"PagerDuty's answer to {request.what} is no JSON; is PAGERDUTY_API_URL right?"
        raise ServerFaultError(text, Said(answer.status), is_unclear=True)
    return parsed
