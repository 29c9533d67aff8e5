"""What channels over HTTP share: one POST in bounded time, a short retry, an answer of bounded size, and what a failure means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import httpx
import tenacity

from tasks.notifications.channels.deadline import Deadline, DeadlineTransport
from tasks.utils.rows import Outcome, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

MAX_ANSWER_BYTES: Final = 65_536
MOST_RETRY_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Answer:
    """What the other side said; of a long text only the beginning."""

    status: int
    headers: Mapping[str, str]
    text: str


class Poster:
    """Posts for the whole process; safe to use from several threads.

    `deadline` bounds one send in all, retries and reading included; `attempts` is how often network errors and 5xx are tried within
    it. `throttle_pause` is how long a key rests after a 429 that does not say, `key_pause` how long after a refusal of the key itself.
    """

    def __init__(self, *, deadline: timedelta, attempts: int, throttle_pause: timedelta, key_pause: timedelta) -> None:
        self._deadline = Deadline()
        self._seconds = deadline.total_seconds()
        self._attempts = attempts
        self._throttle_pause_ms = milliseconds(throttle_pause)
        self._key_pause_ms = milliseconds(key_pause)
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=30)
        self._client = httpx.Client(
            transport=DeadlineTransport(self._deadline, limits=limits),
            timeout=httpx.Timeout(self._seconds, connect=3.0),
            headers={"Content-Type": "application/json", "User-Agent": "tocsin", "Accept-Encoding": "identity"},
        )

    def post(
        self,
        url: str,
        content: bytes,
        classify: Callable[[Answer], Outcome],
        headers: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Post once (a short retry included); what `classify` makes of the answer, or what it means that there was none."""
        tries: list[bool] = []  # of each failed try: may it have arrived all the same?
        try:
            with self._deadline.within(self._seconds):
                answer = self._retrying()(self._try, url, content, headers or {}, tries)
        except httpx.HTTPError as error:
            return Outcome("retry", f"network:{type(error).__name__}", unclear=any(tries))
        outcome = classify(answer)
        return replace(outcome, unclear=outcome.verb != "sent" and any(tries))

    def throttled(self, headers: Mapping[str, str]) -> Outcome:
        """The outcome of a 429: the key rests for as long as the headers ask, within reason."""
        return Outcome("pause", "throttled", delay_ms=self._pause_ms(headers))

    def stopped(self, reason: str) -> Outcome:
        """The outcome of a refusal that concerns the key, so that trying other messages with it is no use."""
        return Outcome("refused", reason, delay_ms=self._key_pause_ms)

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def _retrying(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._attempts) | tenacity.stop_before_delay(MOST_RETRY_SECONDS),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=1.0),
            retry=tenacity.retry_if_exception_type(httpx.TransportError)
            | tenacity.retry_if_result(lambda answer: answer.status >= 500),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

    def _try(self, url: str, content: bytes, headers: Mapping[str, str], tries: list[bool]) -> Answer:
        try:
            answer = self._post(url, content, headers)
        except httpx.HTTPError as error:
            tries.append(_may_have_arrived(error))
            raise
        tries.append(answer.status == 408 or answer.status >= 500)
        return answer

    def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        with self._client.stream("POST", url, content=content, headers=headers) as answer:
            text = b""
            for chunk in answer.iter_raw():
                text += chunk
                if len(text) > MAX_ANSWER_BYTES:
                    break
            return Answer(answer.status_code, answer.headers, text.decode("utf-8", "replace"))

    def _pause_ms(self, headers: Mapping[str, str]) -> int:
        for name in ("retry-after", "ratelimit-reset"):
            try:
                return max(1000, min(round(float(headers[name]) * 1000), 600_000))
            except (KeyError, ValueError, OverflowError):
                continue
        return self._throttle_pause_ms


def _may_have_arrived(error: httpx.HTTPError) -> bool:
    return not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
