"""Takes rotated keys up in a gateway, without a restart, and says which ingest keys are in use."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from redis import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.models import Settings
    from tasks.runtime import Runtime

EVERY: Final = 1.0  # seconds between two looks

log = logging.getLogger(__name__)


class RotatedKeys:
    """Looks each second; `turn_to` is handed the settings when keys in them were rotated. While Redis is away all stays as it is."""

    def __init__(self, runtime: Runtime, turn_to: Callable[[Settings], None], used: Callable[[], list[str]]) -> None:
        self._runtime = runtime
        self._turn_to = turn_to
        self._used = used
        self._turned_to: Settings = runtime.settings
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look once, and go on looking. A server that does not answer keeps nobody waiting."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._look(), 2 * EVERY)
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self._look()

    async def _look(self) -> None:
        used = self._used()
        try:
            await asyncio.to_thread(self._ask, used)
        except RedisError as error:
            log.debug("rotated keys are not looked for: %s", type(error).__name__)
        settings = self._runtime.settings
        if settings is not self._turned_to:  # the heart, too, takes keys up, and tells nobody
            self._turned_to = settings
            self._turn_to(settings)

    def _ask(self, used: list[str]) -> None:
        if used:
            now, seen = self._runtime.clock.now_ms(), self._runtime.keys.keys_seen
            self._runtime.client.hset(seen, mapping={f"{one}:used": now for one in used})
        self._runtime.renew_at_once()
