"""The webhook tasks; thin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import shared_task

from tasks.carriers import WebhookTask

if TYPE_CHECKING:
    from tasks.base import TocsinTask


@shared_task(bind=True, name="webhooks.process", base=WebhookTask, has_effect=False)
def process(self: WebhookTask, documents: list[Any] | None = None) -> dict[str, Any]:
    """Work off PagerDuty's webhooks: those the gateway has kept, and `documents`, as PagerDuty posts them, if any are given.

    Give only documents whose signature was checked. Safe to run twice on the same ones.
    """
    return self.runtime.webhooks.processor.process(documents).model_dump(exclude_defaults=True)


@shared_task(bind=True, name="webhooks.catch_up", has_effect=False)
def catch_up(self: TocsinTask, since_seconds: float | None = None) -> dict[str, Any]:
    """Fetch what happened to incidents and no webhook told, since the last time this was done or for so many seconds back."""
    return self.runtime.webhooks.catch_up.run(since_seconds).model_dump(mode="json")


@shared_task(bind=True, name="webhooks.check", tells=("enabled",))
def check(self: TocsinTask) -> dict[str, Any]:
    """Look whether PagerDuty has disabled our webhook subscriptions, and enable them again."""
    return self.runtime.webhooks.subscriptions.check().model_dump(mode="json")
