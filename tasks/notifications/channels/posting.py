"""What channels over HTTP share: one POST in bounded time, a short retry, an answer of bounded size, and what a failure means."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import httpx
import tenacity

from tasks.notifications.channels.guard import Guard, PrivateAddressError
from tasks.utils.deadline import Deadline, DeadlineTransport
from tasks.utils.rows import Outcome, milliseconds
from tasks.utils.trust import authorities

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from datetime import timedelta

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # they would log whole URLs, and that of a webhook is a key

MAX_ANSWER_BYTES: Final = 65_536
MOST_RETRY_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Answer:
    """What the other side said; of a long text only the beginning."""

    status: int
    headers: Mapping[str, str]
    text: str


class Pauses:
    """How long what rests: a key after a 429 that does not say, a key that was refused."""

    def __init__(self, throttle: timedelta, key: timedelta) -> None:
        self._throttle_ms = milliseconds(throttle)
        self._key_ms = milliseconds(key)

    def throttled(self, headers: Mapping[str, str]) -> Outcome:
        """The outcome of a 429: the key rests for as long as the headers ask, within reason."""
        return Outcome("pause", "throttled", delay_ms=self._asked_ms(headers))

    def stopped(self, reason: str) -> Outcome:
        """The outcome of a refusal that concerns the key, so that trying other messages with it is no use."""
        return Outcome("refused", reason, delay_ms=self._key_ms)

    def _asked_ms(self, headers: Mapping[str, str]) -> int:
        for name in ("retry-after", "ratelimit-reset"):
            try:
                return max(1000, min(round(float(headers[name]) * 1000), 600_000))
            except (KeyError, ValueError, OverflowError):
                continue
        return self._throttle_ms


@dataclass(frozen=True)
class _Request:
    client: httpx.Client
    url: str = field(repr=False)
    content: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    status_suffices: bool
    method: str


class Poster:
    """Posts for the whole process; safe to use from several threads.

    `deadline` bounds one send in all, retries and reading included; `attempts` is how often network errors and 5xx are tried within
    it. `throttle_pause` is how long a key rests after a 429 that does not say, `key_pause` how long after a refusal of the key itself.
    """

    def __init__(
        self,
        *,
        deadline: timedelta,
        attempts: int,
        throttle_pause: timedelta,
        key_pause: timedelta,
        guard: Guard | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._deadline = Deadline()
        self._seconds = deadline.total_seconds()
        self._attempts = attempts
        self._pauses = Pauses(throttle_pause, key_pause)
        trust = trust or authorities()
        self._open = self._client(trust, None)
        self._guarded = self._client(trust, guard or Guard())

    def post(  # noqa: PLR0913 - what an HTTP request is made of
        self,
        url: str,
        content: bytes,
        classify: Callable[[Answer], Outcome],
        *,
        headers: Mapping[str, str] | None = None,
        guarded: bool = False,
        status_suffices: bool = False,
        method: str = "POST",
        seconds: float | None = None,
    ) -> Outcome:
        """Post once (a short retry included); what `classify` makes of the answer, or what it means that there was none.

        `guarded`: to public addresses only. `status_suffices`: a success counts although the text after it breaks off, since people
        would read the message twice. No redirect is ever followed. `method` is for calls that belong to a send: what is not a POST, and
        `seconds` what is left of its deadline.
        """
        request = _Request(
            self._guarded if guarded else self._open, url, content, headers or {}, status_suffices, method
        )
        tries: list[bool] = []  # of each failed try: may it have arrived all the same?
        try:
            with self._deadline.within(min(self._seconds, seconds or self._seconds)):
                answer = self._retrying()(self._try, request, tries)
        except PrivateAddressError:
            return Outcome("refused", "private_address", unclear=any(tries))
        except (httpx.InvalidURL, UnicodeError):  # the latter for names of hosts that cannot be
            return Outcome("refused", "invalid_url")
        except httpx.HTTPError as error:
            return Outcome("retry", f"network:{type(error).__name__}", unclear=any(tries))
        outcome = classify(answer)
        return replace(outcome, unclear=outcome.verb != "sent" and any(tries))

    def throttled(self, headers: Mapping[str, str]) -> Outcome:
        """See `Pauses`."""
        return self._pauses.throttled(headers)

    def stopped(self, reason: str) -> Outcome:
        """See `Pauses`."""
        return self._pauses.stopped(reason)

    def unexpected(self, answer: Answer) -> Outcome:
        """What an answer means that has no meaning of its own where it comes from."""
        status = answer.status
        if status == 429:
            return self.throttled(answer.headers)
        if 300 <= status < 400:
            return Outcome("refused", "redirected")
        if status in (407, 408) or not 400 <= status < 500:
            return Outcome("retry", f"http:{status}")
        return Outcome("refused", f"http:{status}")

    def close(self) -> None:
        """Close the pooled connections."""
        self._open.close()
        self._guarded.close()

    def _client(self, trust: ssl.SSLContext, guard: Guard | None) -> httpx.Client:
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=30)
        return httpx.Client(
            transport=DeadlineTransport(self._deadline, verify=trust, limits=limits, guard=guard),
            timeout=httpx.Timeout(self._seconds, connect=3.0),
            headers={"Content-Type": "application/json", "User-Agent": "tocsin", "Accept-Encoding": "identity"},
        )

    def _retrying(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._attempts)
            | tenacity.stop_before_delay(min(MOST_RETRY_SECONDS, self._seconds)),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=1.0),
            retry=tenacity.retry_if_exception_type(httpx.TransportError)
            | tenacity.retry_if_result(lambda answer: answer.status >= 500),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

    def _try(self, request: _Request, tries: list[bool]) -> Answer:
        try:
            answer = _answer(request)
        except httpx.HTTPError as error:
            tries.append(_may_have_arrived(error))
            raise
        tries.append(answer.status == 408 or answer.status >= 500)
        return answer


def _answer(request: _Request) -> Answer:
    with request.client.stream(request.method, request.url, content=request.content, headers=request.headers) as answer:
        try:
            text = _text(answer)
        except httpx.TransportError:
            if not (request.status_suffices and answer.is_success):
                raise
            text = ""
        return Answer(answer.status_code, answer.headers, text)


def _text(answer: httpx.Response) -> str:
    """What its body begins with."""
    text = b""
    for chunk in answer.iter_raw():
        text += chunk
        if len(text) > MAX_ANSWER_BYTES:
            break
    return text.decode("utf-8", "replace")


def _may_have_arrived(error: httpx.HTTPError) -> bool:
    return not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
