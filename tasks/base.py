"""The base of every task: log context, measure, poison guard. No retry loop here: what must be tried again is a row with a due time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog
from celery import Task
from celery.exceptions import Ignore, Reject

if TYPE_CHECKING:
    from tasks.runtime import Runtime

log = structlog.get_logger("tocsin.task")


class TocsinTask(Task):
    """Binds log context, measures, counts deliveries of a message, claims a scheduled run; the work is the service's."""

    abstract = True

    @property
    def runtime(self) -> Runtime:
        """The wiring of this process."""
        return self.app.runtime  # type: ignore[no-any-return]

    def before_start(self, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Refuse a message that keeps killing its worker, and a scheduled run somebody else has claimed."""
        structlog.contextvars.bind_contextvars(task=self.name, task_id=task_id)
        self.request.started = time.monotonic()
        if (self.request.delivery_info or {}).get("redelivered"):
            self._count_delivery(task_id, args, kwargs)
        slot = getattr(self.request, "tocsin_slot", None)
        if slot and not self.runtime.slots.claim(slot, task_id):
            log.info("slot_taken", slot=slot)
            raise Ignore

    def after_return(
        self, status: str, retval: Any, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any], einfo: Any
    ) -> None:
        """Measure, and drop the context."""
        del retval, args, kwargs, einfo
        started = getattr(self.request, "started", None)
        if started is not None:
            self.runtime.metrics.task_done(self.name, status, time.monotonic() - started)
        if (self.request.delivery_info or {}).get("redelivered"):
            self.runtime.messages.forget(task_id)
        structlog.contextvars.clear_contextvars()

    def on_failure(
        self, exc: Exception, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any], einfo: Any
    ) -> None:
        """A task that failed for good must not take alerts with it: what its message carried becomes dead letters."""
        del einfo
        log.error("task_failed", error=type(exc).__name__, detail=str(exc)[:500])
        self._bury(task_id, args, kwargs, "task_failed", f"{type(exc).__name__}: {exc}"[:500])

    def _count_delivery(self, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        count = self.runtime.messages.delivered(task_id)
        if count > self.runtime.messages.most_deliveries:
            log.error("poison_message", deliveries=count)
            self._bury(task_id, args, kwargs, "poison", f"handed to a worker {count} times and never finished")
            raise Reject("poison", requeue=False)

    def _bury(
        self, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any], reason: str, detail: str
    ) -> None:
        """Dead-letter the alerts in the arguments, if this task carries any."""
        alerts = kwargs.get("alerts") or (args[0] if args and self.name == "alerts.submit" else None)
        if isinstance(alerts, list) and alerts:
            self.runtime.alerts.bury(task_id, alerts, reason, detail)
