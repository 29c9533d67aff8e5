"""The one waker: sleeps until the next row falls due, then hints at it. Any number of pumps may run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import redis
import structlog
from celery import bootsteps
from kombu.exceptions import OperationalError

from tasks.utils.connect import connect
from tasks.utils.scripts import Scripts
from workers.queues import WITH_PUMP

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.models import Settings
    from tasks.audit.epochs import EpochWatch
    from tasks.utils.keys import Keys

log = structlog.get_logger("tocsin.pump")

LONGEST_SLEEP: Final = 1.0  # seconds; bounds the harm of a lost wake-up
BLOCKING_TICK: Final = 0.15  # an idle server ends short blocking waits only every 100 ms: the last bit is slept here
PAUSE_WHEN_AWAY: Final = 0.5


class Pump:
    """Calls workers for due rows, over and over, until stopped."""

    def __init__(
        self, client: Any, keys: Keys, epochs: EpochWatch, declare_queues: Callable[[], None] = lambda: None
    ) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._epochs = epochs
        self._epoch: str | None = None
        self._declare_queues = declare_queues
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until `stop`; a server that is away, or refuses, is waited for: without a pump nothing is tried again."""
        away = False
        while not self._stopping.is_set():
            try:
                self.wait(self.look())
            except redis.RedisError as error:
                if not away:
                    log.warning("pump_waits_for_server", error=type(error).__name__, detail=str(error)[:200])
                away = True
                self._stopping.wait(PAUSE_WHEN_AWAY)
            else:
                if away:
                    log.info("pump_works_again")
                away = False

    def look(self) -> float:
        """Hint at what is due now; returns seconds until something else is.

        With everything else the bindings of queues are lost: what producers send to an exchange by its name would go nowhere. They are
        bound anew also where a task of this process was first to notice.
        """
        wait, epoch, fresh = self._scripts.run("pump", round(LONGEST_SLEEP * 1000))
        is_lost = self._epochs.look(str(epoch), is_fresh=bool(int(fresh)))
        before, self._epoch = self._epoch, epoch
        if is_lost or before not in (None, epoch):
            self._declare_queues()
        return int(wait) / 1000

    def wait(self, seconds: float) -> None:
        """Sleep until then, or until somebody makes an earlier row."""
        if seconds > 2 * BLOCKING_TICK:
            self._client.blpop([self._keys.wake], timeout=seconds - BLOCKING_TICK)
        else:
            self._stopping.wait(max(seconds, 0.001))

    def stop(self) -> None:
        """End `run` at its next look."""
        self._stopping.set()


class PumpStep(bootsteps.StartStopStep):
    """Runs a pump in the workers of the groups that deliver, on a connection of its own, once the pool is up."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **_: Any) -> None:
        self.enabled = worker.app.conf.tocsin_group in WITH_PUMP
        self._pump: Pump | None = None
        self._thread: threading.Thread | None = None

    def start(self, worker: Any) -> None:
        """Start the pump's thread."""
        settings: Settings = worker.app.settings
        client, runtime = connect(settings.redis.url.get_secret_value()), worker.app.runtime
        self._pump = Pump(client, runtime.keys, runtime.epochs, lambda: declare_queues(worker.app))
        self._thread = threading.Thread(target=self._pump.run, name="pump", daemon=True)
        self._thread.start()

    def stop(self, worker: Any) -> None:
        """End the pump before the pool goes."""
        del worker
        if self._pump is not None and self._thread is not None:
            self._pump.stop()
            self._thread.join(timeout=2 * LONGEST_SLEEP)

    terminate = stop


def declare_queues(app: Any) -> None:
    """Bind every queue anew. Where that fails, a worker does it when it connects again."""
    try:
        with app.connection_for_write() as connection:
            for queue in app.amqp.queues.values():
                queue(connection.default_channel).declare()
    except (OperationalError, *connection.connection_errors) as error:
        log.warning("queues_not_declared", error=type(error).__name__)
    else:
        log.info("queues_declared")
