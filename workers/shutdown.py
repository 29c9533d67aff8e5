"""A bounded goodbye: after SIGTERM tasks under way may finish, but not for ever; then their messages go back to the queue.

Celery's own soft shutdown sleeps its whole time-out even when the last task is long done, so the bound is kept here:
a warm shutdown that has taken too long becomes a cold one, by the signal Celery knows for it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any, Final

import structlog
from celery import bootsteps

LAST_WAIT: Final = 5.0  # seconds

log = structlog.get_logger("tocsin.worker")


class BoundedShutdown(bootsteps.StartStopStep):
    """Turns a warm shutdown into a cold one after `app.conf.tocsin_shutdown_grace` seconds, and ends one that hangs."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._grace = float(worker.app.conf.tocsin_shutdown_grace)

    def start(self, worker: Any) -> None:
        """Nothing to do before the end."""

    def stop(self, worker: Any) -> None:
        """Start the clock; a worker that ends in time takes this thread with it."""
        del worker
        timer = threading.Timer(self._grace, self._insist)
        timer.daemon = True
        timer.start()

    def _insist(self) -> None:
        log.warning("shutdown_insists", after_seconds=self._grace, meaning="tasks under way go back to the queue")
        os.kill(os.getpid(), signal.SIGQUIT)
        time.sleep(LAST_WAIT)  # a cold shutdown runs inside a signal handler and can block on what it interrupted
        log.error("shutdown_forced", meaning="messages under way come back when their visibility time-out ends")
        os._exit(os.EX_SOFTWARE)
