"""The heart of a worker, and of beat: beside Celery's own loops."""

from __future__ import annotations

from typing import Any, Final

from celery import bootsteps
from celery.worker import state

from workers.heart import Heart, Load
from workers.queues import GROUPS

TICK: Final = 2.0  # seconds


class HeartStep(bootsteps.StartStopStep):
    """A worker bootstep: starts the heart once the pool is up."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **_: Any) -> None:
        group = worker.app.conf.tocsin_group
        worker.heart = Heart(
            worker.app.settings,
            f"worker-{group}",
            queues=GROUPS[group],
            load=lambda: _load(worker),
            knows=worker.app.runtime.known_keys,
        )

    def start(self, worker: Any) -> None:
        """Start beating."""
        worker.heart.start()

    def stop(self, worker: Any) -> None:
        """Say goodbye."""
        worker.heart.stop()

    terminate = stop


class TickStep(bootsteps.StartStopStep):
    """A consumer bootstep: the loop that takes messages ticks, from each time on that it is connected."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **_: Any) -> None:
        self._entry: Any = None
        self._heart: Heart = consumer.controller.heart

    def start(self, consumer: Any) -> None:
        """Tick, over and over."""
        self._heart.tick()
        self._entry = consumer.timer.call_repeatedly(TICK, self._heart.tick)

    def stop(self, consumer: Any) -> None:
        """The connection is lost, or the worker ends."""
        del consumer
        if self._entry is not None:
            self._entry.cancel()
            self._entry = None

    shutdown = stop


def _load(worker: Any) -> Load:
    consumer = getattr(worker, "consumer", None)
    received = int(consumer.received) if consumer is not None else 0
    return Load(received, is_busy=len(state.active_requests) >= worker.pool.num_processes)
