"""What Amazon SNS wants besides its messages being taken: subscriptions confirmed, signatures looked at."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from config.mappings import Sns
from tasks.utils.error_handler import TransientError
from tasks.utils.webhook_signatures import (
    SUBSCRIPTION,
    ForgedError,
    certificate_key,
    certificate_url,
    check_sns_signature,
    confirmation_url,
    sns_message,
)

Fetch = Callable[[str], Awaitable[bytes]]
FETCH_SECONDS: Final = 3.0
PATIENCE_SECONDS: Final = 0.6  # how long a message waits for its certificate: its sender waits for the answer
PAUSES_SECONDS: Final = (1.0, 5.0, 30.0)
MOST_BYTES: Final = 64 * 1024
MOST_AT_ONCE: Final = 8
MOST_CERTIFICATES: Final = 16
_LOUD: Final = {
    SUBSCRIPTION: "a subscription of %s waits to be confirmed: set `sns.confirm: true` in the mapping",
    "UnsubscribeConfirmation": "%s sends nothing here any more: somebody has ended the subscription",
}

# Threads of its own: a resolver may take its time, and the other doors check large bodies in the common ones.
_THREADS: Final = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sns")

log = logging.getLogger(__name__)


class SnsGate:
    """Lets messages of SNS through. `fetch` gets an address: those handed to it are Amazon's own, always.

    `certificates` gets those of certificates, which do not change; a message waits for its one as long as `patience` (seconds).
    """

    def __init__(
        self,
        fetch: Fetch,
        pauses: tuple[float, ...] = PAUSES_SECONDS,
        certificates: Fetch | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._fetch = fetch
        self._fetch_certificate = certificates or fetch
        self._pauses = pauses
        self._patience = patience
        self._certificates: dict[str, asyncio.Task[RSAPublicKey]] = {}
        self._confirming: dict[str, asyncio.Task[None]] = {}

    async def admit(self, document: object, options: Sns) -> str | None:
        """Return if the message may be mapped; what is done instead, in words, if it asks to confirm a subscription.

        ForgedError if it is not Amazon's, or of a topic not listened to; TransientError if that cannot be told now.
        """
        message = sns_message(document)
        topic = message["TopicArn"]
        if options.topics and topic not in options.topics:
            raise ForgedError("TopicArn is not among the `topics` of the mapping; add it there")
        if message["Type"] == SUBSCRIPTION and options.confirm:
            self._begin_to_confirm(message, confirmation_url(message), options)
            return f"the subscription of {topic} is being confirmed"
        if options.verify:
            await self._verify(message, self._patience)
        if message["Type"] in _LOUD:
            log.warning(_LOUD[message["Type"]], topic[:200])
        return None

    def _begin_to_confirm(self, message: Mapping[str, Any], url: str, options: Sns) -> None:
        """Confirm outside of the request; a second request for the same changes nothing."""
        if url in self._confirming:
            return
        if len(self._confirming) >= MOST_AT_ONCE:
            raise TransientError("too many subscriptions are being confirmed at once", retry_after=30)
        task = self._confirming[url] = asyncio.create_task(self._confirm(message, url, options))
        task.add_done_callback(lambda _: self._confirming.pop(url, None))

    async def _confirm(self, message: Mapping[str, Any], url: str, options: Sns) -> None:
        topic = message["TopicArn"][:200]
        for pause in (*self._pauses, None):
            try:
                if options.verify:
                    await self._verify(message, FETCH_SECONDS)
                await self._fetch(url)
            except ForgedError as error:
                log.warning("a subscription of %s is not confirmed: %s", topic, error)
                return
            except TransientError as error:
                log.warning("a subscription of %s could not be confirmed: %s", topic, error)
            else:
                log.info("the subscription of %s is confirmed", topic)
                return
            if pause is not None:
                await asyncio.sleep(pause)
        log.error("given up: let this host reach https://sns.*.amazonaws.com, then subscribe %s again", topic)

    async def _verify(self, message: Mapping[str, Any], patience: float) -> None:
        url = certificate_url(message)
        fetching = self._certificates.get(url) or self._begin_to_fetch(url)
        try:
            async with asyncio.timeout(patience):
                key = await asyncio.shield(fetching)
        except TimeoutError:
            raise TransientError("Amazon's certificate is still being fetched", retry_after=5) from None
        check_sns_signature(message, key)

    def _begin_to_fetch(self, url: str) -> "asyncio.Task[RSAPublicKey]":
        if sum(not task.done() for task in self._certificates.values()) >= MOST_AT_ONCE:
            raise TransientError("too many certificates are being fetched at once", retry_after=30)
        while len(self._certificates) >= MOST_CERTIFICATES:
            self._certificates.pop(next(iter(self._certificates)))
        task = self._certificates[url] = asyncio.create_task(self._fetch_key(url))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may fail with nobody waiting
        return task

    async def _fetch_key(self, url: str) -> RSAPublicKey:
        try:
            return certificate_key(await self._fetch_certificate(url))
        except (TransientError, ValueError) as error:
            self._certificates.pop(url, None)  # so that the next message tries again
            raise TransientError(f"Amazon's certificate is not to be had: {error}", retry_after=5) from None

    async def close(self) -> None:
        """End what is under way."""
        tasks = [*self._confirming.values(), *self._certificates.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def fetch(url: str) -> bytes:
    """What is at an https address, at most 64 KB of it; no redirect is followed. TransientError if it is not to be had."""
    try:
        return await asyncio.get_running_loop().run_in_executor(_THREADS, _get, url)
    except httpx.HTTPError as error:
        raise TransientError(f"{httpx.URL(url).host} does not answer: {type(error).__name__}") from None


def _get(url: str) -> bytes:
    deadline = time.monotonic() + FETCH_SECONDS
    body = b""
    with (
        httpx.Client(timeout=FETCH_SECONDS, follow_redirects=False) as client,
        client.stream("GET", url) as response,
    ):
        if response.status_code != 200:
            raise TransientError(f"{response.url.host} answers {response.status_code}")
        for part in response.iter_bytes():
            body += part
            if len(body) > MOST_BYTES or time.monotonic() > deadline:
                raise TransientError(f"{response.url.host} answers too much, or too slowly")
    return body
