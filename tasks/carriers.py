"""Tasks whose message is all there is of what it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.base import TocsinTask

if TYPE_CHECKING:
    from tasks.base import Args, Kwargs


class AlertTask(TocsinTask):
    """A task whose message is all there is of the alerts it carries: they end as dead letters, never with the message."""

    abstract = True
    survives = True
    # Celery would give up after three lost children, or at once when time is up, and the alerts with it: here the message goes
    # back, and those that come back too often are found out by count.
    retry_on_worker_lost = False
    reject_on_worker_lost = True
    acks_on_timeout = False
    Request = "workers.request:QuietRequest"

    def last_words(self, reason: str, detail: str, args: Args, kwargs: Kwargs, seen: str = "") -> None:
        """Dead-letter the alerts; where the call has another shape, the call as it was."""
        alerts = kwargs.get("alerts") or (args[0] if args else None)
        if alerts is None and not args and not kwargs:
            return
        carried = alerts if isinstance(alerts, list) else [{"args": list(args), "kwargs": kwargs}]
        self.runtime.alerts.bury(self.request.id, carried, reason, detail, seen)


class WebhookTask(AlertTask):
    """A task whose message is all there is of the webhooks it carries: they end as dead letters, never with the message."""

    abstract = True

    def last_words(self, reason: str, detail: str, args: Args, kwargs: Kwargs, seen: str = "") -> None:
        """Dead-letter the documents; where the call has another shape, the call as it was."""
        del seen
        documents = kwargs.get("documents") or (args[0] if args else None)
        if documents is None and not args and not kwargs:
            return
        carried = documents if isinstance(documents, list) else [{"args": list(args), "kwargs": kwargs}]
        self.runtime.webhooks.processor.bury(carried, self.request.id, reason, detail)
