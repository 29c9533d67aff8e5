"""Restarts a worker that has gone deaf: its queue has work, it has room, and yet it receives nothing."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from celery import bootsteps
from celery.utils.log import get_logger
from celery.worker import state

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = get_logger(__name__)

#: Exit code of a worker that ended itself: EX_SOFTWARE.
DEAF = 70
#: Looks it takes to call a worker deaf. Looks are counted, not seconds: a machine that slept is not deaf.
LOOKS = 10
#: Seconds without a message before a worker is called deaf, unless `app.conf.tocsin_watchdog_seconds` says otherwise.
DEAF_AFTER = 20


@dataclass
class Ear:
    """Judges by repeated looks whether a worker still hears its queues."""

    looks_needed: int = LOOKS
    looks: int = 0
    received: int = -1

    def look(self, *, waiting: Mapping[str, int], received: int, busy: bool) -> bool:
        """Whether the worker is deaf, after one more look.

        `waiting` is what lies in each of its queues, `received` counts all messages it ever got, `busy` says that it
        has no free slot. Any sign of health starts the count anew.
        """
        well = busy or received != self.received or not any(waiting.values())
        self.received = received
        self.looks = 0 if well else self.looks + 1
        return self.looks >= self.looks_needed


class Watchdog(bootsteps.StartStopStep):
    """A worker bootstep: `app.steps["worker"].add(Watchdog)`. Needs `ResilientConsumer`, and a supervisor.

    A worker that received nothing for `app.conf.tocsin_watchdog_seconds` (default 20, 0 = off) although one of its
    queues had messages and it had a free slot at every look, says so and exits with code 70. A server that is away
    makes nobody deaf, nor does a shutdown under way.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.worker = worker
        self.seconds = float(worker.app.conf.get("tocsin_watchdog_seconds", DEAF_AFTER))
        self.ended = Event()
        self.ear = Ear()

    def include_if(self, worker: Any) -> bool:
        """Whether there is anything to watch with."""
        del worker
        return self.seconds > 0

    def start(self, worker: Any) -> None:
        """Start watching, on a thread and a connection of its own."""
        del worker
        Thread(target=self._watch, name="watchdog", daemon=True).start()

    def close(self, worker: Any) -> None:
        """Stop watching: a worker that shuts down is right not to take more."""
        del worker
        self.ended.set()

    stop = terminate = close

    def _watch(self) -> None:
        while not self.ended.is_set():
            with self.worker.app.connection_for_read() as connection:
                try:
                    self._look_until_lost(connection)
                except (*connection.connection_errors, *connection.channel_errors):
                    logger.debug("the watchdog cannot see the queues", exc_info=True)
                    self.ear = Ear()
            self.ended.wait(self.seconds / LOOKS)

    def _look_until_lost(self, connection: Any) -> None:
        connection.connect()  # tries twice; without it the channel would try for ever, ever more slowly
        client = connection.default_channel.client
        while not self.ended.wait(self.seconds / LOOKS):
            waiting = {name: client.llen(name) for name in list(self.worker.app.amqp.queues.consume_from)}
            if self.ear.look(waiting=waiting, received=self._received(), busy=self._is_busy()):
                self._end(waiting)

    def _received(self) -> int:
        return int(self.worker.consumer.received)

    def _is_busy(self) -> bool:
        # Celery's flags are exit codes, so that 0 is a yes.
        stopping = any(flag is not None and flag is not False for flag in (state.should_stop, state.should_terminate))
        return stopping or len(state.active_requests) >= self.worker.pool.num_processes

    def _end(self, waiting: Mapping[str, int]) -> None:
        if self.ended.is_set():
            return
        queues = ", ".join(f"{name}: {count}" for name, count in waiting.items())
        logger.critical(
            "this worker is deaf: it received nothing for %g s while messages waited (%s) and it had free slots. "
            "It exits with code %d so that its supervisor restarts it",
            self.seconds,
            queues,
            DEAF,
        )
        logging.shutdown()
        # Not sys.exit: the main thread may be the very one that hangs.
        os._exit(DEAF)
