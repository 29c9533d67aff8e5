"""The escalation tasks; thin. Escalations are named by the alert's dedup key (with `service`), or its short name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import shared_task

if TYPE_CHECKING:
    from tasks.base import TocsinTask

Names = str | list[str]


@shared_task(bind=True, name="escalations.start")
def start(self: TocsinTask, names: Names, service: str = "") -> dict[str, Any]:
    """Start the escalation of open alerts by their services' policies; one that lives, or has come to its end, stays as it is."""
    return self.runtime.escalations.start(names, service).model_dump()


@shared_task(bind=True, name="escalations.advance", has_effect=False)
def advance(self: TocsinTask) -> dict[str, Any]:
    """Take the steps that are due. A hint carries no work: the rows say what to do."""
    return self.runtime.escalations.service.advance().model_dump()


@shared_task(bind=True, name="escalations.cancel")
def cancel(self: TocsinTask, names: Names, service: str = "", reason: str = "by_task") -> dict[str, Any]:
    """End escalations by a named reason; their alerts stay as they are."""
    return self.runtime.escalations.cancel(names, service, reason).model_dump()


@shared_task(bind=True, name="escalations.audit", has_effect=False)
def audit(self: TocsinTask) -> dict[str, Any]:
    """Look whether every open alert has its timer and every timer its alert; mend what does not."""
    return self.runtime.escalations.auditor.run().model_dump()
