"""One POST in bounded time from an event loop: for the channel with the most messages. ADR 14 says why not httpx here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import aiohttp
import tenacity

from tasks.notifications.channels.posting import MAX_ANSWER_BYTES, MOST_RETRY_SECONDS, Answer
from tasks.utils.trust import authorities

if TYPE_CHECKING:
    from datetime import timedelta

CONNECT_SECONDS: Final = 3.0
IDLE_SECONDS: Final = 30.0
MOST_CONNECTIONS: Final = 64
HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "tocsin", "Accept-Encoding": "identity"}
FAILURES: Final = (aiohttp.ClientError, TimeoutError)
NEVER_LEFT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class InvalidUrlError(Exception):
    """There can be no such place."""


class NoAnswerError(Exception):
    """There was no answer in time; the message names the kind of failure."""


class SwiftPoster:
    """Posts over connections that are kept, a set of them for each event loop. No redirect is ever followed.

    `deadline` bounds one post in all, retries and reading included; `attempts` is how often network errors and 5xx are tried within it.
    """

    def __init__(self, *, deadline: timedelta, attempts: int) -> None:
        self._seconds = deadline.total_seconds()
        self._attempts = attempts
        self._trust = authorities()
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    async def post(self, url: str, content: bytes, tries: list[bool]) -> Answer:
        """The answer, after a short retry if need be. `tries` gets of each failed try whether it may have arrived all the same.

        Raises NoAnswerError or InvalidUrlError.
        """
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._first(url, content, tries)
                if answer is not None:
                    return answer
                later: Answer = await self._retrying()(self._try, url, content, tries)
                return later
        except (aiohttp.InvalidURL, UnicodeError) as error:  # the latter for names of hosts that cannot be
            raise InvalidUrlError from error
        except FAILURES as error:
            raise NoAnswerError(_name(error)) from error

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    async def _first(self, url: str, content: bytes, tries: list[bool]) -> Answer | None:
        """The answer, or None if the first try failed and another is left: nearly all succeed, and pay for no retry."""
        try:
            answer = await self._try(url, content, tries)
        except FAILURES as error:
            if self._attempts == 1 or isinstance(error, aiohttp.InvalidURL):
                raise
            return None
        return answer if answer.status < 500 or self._attempts == 1 else None

    def _retrying(self) -> tenacity.AsyncRetrying:
        return tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._attempts - 1)
            | tenacity.stop_before_delay(min(MOST_RETRY_SECONDS, self._seconds)),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=1.0),
            retry=tenacity.retry_if_exception_type(FAILURES)
            | tenacity.retry_if_result(lambda answer: answer.status >= 500),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

    async def _try(self, url: str, content: bytes, tries: list[bool]) -> Answer:
        try:
            async with self._session().post(url, data=content, allow_redirects=False) as answer:
                if answer.status < 200:
                    raise aiohttp.ServerDisconnectedError  # a promise of an answer, but no answer
                found = Answer(answer.status, answer.headers, await _text(answer))
        except (*FAILURES, asyncio.CancelledError) as error:
            tries.append(not isinstance(error, NEVER_LEFT))
            raise
        tries.append(found.status == 408 or found.status >= 500)
        return found

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS, keepalive_timeout=IDLE_SECONDS, ssl=self._trust),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                headers=HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return session


async def _text(answer: aiohttp.ClientResponse) -> str:
    """What its body begins with."""
    text = b""
    async for chunk in answer.content.iter_any():
        text += chunk
        if len(text) > MAX_ANSWER_BYTES:
            break
    return text.decode("utf-8", "replace")


def _name(error: Exception) -> str:
    """The kind of failure, by the names it has in rows and logs whatever the library."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return "ConnectError"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "ConnectTimeout"
    if isinstance(error, TimeoutError):
        return "ReadTimeout"
    return "ReadError" if isinstance(error, aiohttp.ClientOSError) else "RemoteProtocolError"
