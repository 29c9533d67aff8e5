"""Seals the ledger while a fleet has nobody who would: what is sealed can be named when the server loses everything."""

from __future__ import annotations

import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

import redis

from tasks.runtime import Runtime

if TYPE_CHECKING:
    from tests.chaos.kit.stage import Stage

EVERY: Final = 2.0  # seconds


class Sealing(threading.Thread):
    """What beat has a maintenance worker do each minute, done here more often, where the fleet has none of the two."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        self._is_needed = not stage.shape.beat
        self._settings = stage.fleet.settings
        self._over = threading.Event()

    def run(self) -> None:
        runtime = Runtime(self._settings)
        with closing(runtime.client):
            while self._is_needed and not self._over.wait(EVERY):
                with suppress(redis.RedisError):
                    runtime.audit.seal()

    def close(self) -> None:
        """Stop."""
        self._over.set()
        self.join(timeout=30)
