"""Addresses whose answer stays the same, asked once for all gateways and remembered."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from tasks.utils.cache_manager import CacheManager

KEPT: Final = timedelta(days=1)


class Remembered:
    """Gets an address through the cache: of many who want it at once, in whatever gateways, one asks.

    Without the server everybody asks for himself. What is at the address must be ASCII; ValueError if it is not.
    """

    def __init__(self, cache: CacheManager, fetch: Callable[[str], Awaitable[bytes]], *, most_at_once: int) -> None:
        self._cache = cache
        self._fetch = fetch
        self._threads = ThreadPoolExecutor(
            most_at_once, thread_name_prefix="remembered"
        )  # each may wait for another gateway

    async def __call__(self, url: str) -> bytes:
        """What is at the address, at most a day old."""
        loop = asyncio.get_running_loop()

        async def ask() -> str:
            return (await self._fetch(url)).decode("ascii")

        def compute() -> str:
            return asyncio.run_coroutine_threadsafe(ask(), loop).result()

        text = await loop.run_in_executor(self._threads, lambda: self._cache.get_or_compute(url, compute, ttl=KEPT))
        return text.encode()

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)
