"""The health task; thin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import shared_task

from tasks.health.models import Depth  # noqa: TC001 - a shell reads what the task takes

if TYPE_CHECKING:
    from tasks.base import TocsinTask


@shared_task(bind=True, name="health.check", has_effect=False)
def check(self: TocsinTask, depth: Depth = "full") -> dict[str, Any]:
    """Look at everything and keep what was found, for the history and the API. Sends a canary if a service for it is set."""
    return self.runtime.health.check_and_keep(depth).model_dump(mode="json")
