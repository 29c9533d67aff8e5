"""Every machine with a worker notices within seconds that Redis lost everything: it may be alone in knowing which runs were made."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import redis
import structlog
from celery import bootsteps

from workers.queues import WITH_PUMP

if TYPE_CHECKING:
    from tasks.runtime import Runtime

log = structlog.get_logger("tocsin.memory")

EVERY: Final = 3.0  # seconds; well within what `lua/lib/slot.lua` calls settling


class MemoryStep(bootsteps.StartStopStep):
    """Asks which data set there is, in workers that have no pump (which asks by itself)."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._ended = threading.Event()

    def include_if(self, worker: Any) -> bool:
        """Whether nobody else in this worker asks."""
        return worker.app.conf.tocsin_group not in WITH_PUMP

    def start(self, worker: Any) -> None:
        """Ask until told to stop."""
        threading.Thread(target=self._ask, args=(worker.app.runtime,), name="memory", daemon=True).start()

    def close(self, worker: Any) -> None:
        """Ask no more."""
        del worker
        self._ended.set()

    stop = terminate = close

    def _ask(self, runtime: Runtime) -> None:
        while not self._ended.wait(EVERY):
            try:
                runtime.epochs.ask()
            except (
                redis.RedisError,
                OSError,
            ) as error:  # or the state folder cannot be written: asked again all the same
                log.debug("server_away", error=type(error).__name__)
