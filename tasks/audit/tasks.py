"""The audit tasks; thin."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from celery import shared_task

if TYPE_CHECKING:
    from tasks.base import TocsinTask


@shared_task(bind=True, name="audit.prove", has_effect=False)
def prove(self: TocsinTask, since_seconds: float | None = None, keep: str = "") -> dict[str, Any]:
    """Prove that every event accepted in the last `since_seconds` (None: ever) met a rightful end or is pending.

    `keep`: a name under which health and Tocsin's own alerts find the result; for scheduled runs.
    """
    since = None if since_seconds is None else timedelta(seconds=since_seconds)
    return self.runtime.audit.prove_and_keep(since, keep).model_dump(mode="json")


@shared_task(bind=True, name="audit.seal", has_effect=False)
def seal(self: TocsinTask) -> dict[str, Any]:
    """Chain and archive what is new in the ledger, then take out of Redis what is over. Safe to run at any time.

    A loss of Redis is looked for first: whoever seals has the note of what was pending and of the silences there were.
    """
    self.runtime.epochs.ask()
    sealed = self.runtime.audit.seal()
    archived = self.runtime.audit.archive()
    return {"sealed": sealed.model_dump(), "archived": archived.model_dump()}


@shared_task(bind=True, name="audit.verify", has_effect=False)
def verify(self: TocsinTask) -> dict[str, Any]:
    """Check archive and anchors line by line; judges no event."""
    return self.runtime.audit.verify().model_dump(mode="json")
