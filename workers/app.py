"""The Celery app of every worker, of beat, and of the shell."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.signals import before_task_publish, setup_logging

from schedules.due import due_by
from schedules.entries import entries_of
from tasks.base import TocsinTask
from tasks.runtime import Runtime
from tasks.utils.graves import REASON as UNUSABLE
from tasks.utils.task_acts import carry
from workers.heartbeat import HeartStep, TickStep
from workers.logs import configure_logging
from workers.memory import MemoryStep
from workers.pump import PumpStep
from workers.queues import task_queues, task_routes
from workers.settings import celery_settings
from workers.shutdown import BoundedShutdown
from workers.signing import CurrentVerifier, use_signing
from workers.verifying import Gatekeeper
from workers.watchdog import Watchdog

if TYPE_CHECKING:
    from config.models import Settings

TASK_MODULES = (
    "tasks.alerts.tasks",
    "tasks.notifications.tasks",
    "tasks.audit.tasks",
    "tasks.logs.tasks",
    "tasks.webhooks.tasks",
    "tasks.incidents.tasks",
    "tasks.escalations.tasks",
    "tasks.backups.tasks",
    "tasks.health.tasks",
    "tasks.tokens.tasks",
)


class Tocsin(Celery):
    """Celery with one runtime per process: after a fork a child wires its own connections."""

    task_cls = TocsinTask
    _runtime: tuple[int, Runtime] | None = None
    _making = threading.Lock()  # all threads of a process share one runtime, from the first moment on
    settings: Settings | None = None
    role = "cli"  # as whom it signs what it sends
    gatekeeper: Gatekeeper | None = None  # where only signed messages run

    @property
    def runtime(self) -> Runtime:
        """The services of this process."""
        pid = os.getpid()
        if self._runtime is None or self._runtime[0] != pid:
            self._make_runtime(pid)
        return self._runtime[1]  # type: ignore[index]

    def _make_runtime(self, pid: int) -> None:
        with self._making:
            if self._runtime is None or self._runtime[0] != pid:
                runtime = Runtime(self.settings)
                runtime.expected = due_by(lambda: runtime.settings)
                self._runtime = (pid, runtime)

    def dead_letter(self, raw_body: bytes | str, fault: str, headers: dict[str, Any], reason: str = UNUSABLE) -> None:
        """Keep a message that no task can take, whole, as a dead letter."""
        self.runtime.graves.bury(raw_body, fault, headers, reason)


def make_app(settings: Settings, *, group: str | None = None, role: str = "cli") -> Tocsin:
    """The app for one worker group (its own bookkeeping keys, reliable fetch), or for a producer where `group` is None.

    `role`: as whom a producer signs what it sends, where messages are signed.
    """
    entries_of(settings.schedules)  # a name that does not exist stops every process, not only beat
    app = Tocsin("tocsin", include=TASK_MODULES)
    app.settings = settings
    app.conf.update(celery_settings(settings, group))
    app.conf.task_queues = task_queues()
    app.conf.task_routes = task_routes()
    app.role = f"worker-{group}" if group else role
    if settings.security.sign_tasks:
        use_signing(app)
        app.gatekeeper = Gatekeeper(CurrentVerifier(settings, lambda: app.runtime.settings), group) if group else None
    if group is not None:
        app.steps["worker"].update({PumpStep, MemoryStep, Watchdog, BoundedShutdown, HeartStep})
        app.steps["consumer"].add(TickStep)
    return app


@setup_logging.connect
def _own_logging(**_: Any) -> None:
    """Keep Celery from installing its own handlers; ours redact."""
    configure_logging(os.environ.get("LOG_LEVEL", "INFO"))


@before_task_publish.connect
def _carry_on(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Tell whoever takes a message on whose behalf it was sent."""
    if headers is not None:
        carry(headers)


def __getattr__(name: str) -> Tocsin:
    """`celery -A workers.app …` finds an app made from the settings of the environment."""
    if name not in ("app", "celery"):
        raise AttributeError(name)
    from config.settings import load  # noqa: PLC0415 - importing this module must not read files

    globals()[name] = make_app(load())
    return globals()[name]  # type: ignore[no-any-return]
