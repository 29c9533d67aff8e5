"""Plain celery beat, with one addition: each message names the run it stands for, so that the worker can claim it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from celery.beat import PersistentScheduler

from schedules.beat import ENTRIES, last_due, slot
from workers.schedule_grants import schedule_headers


class SlotScheduler(PersistentScheduler):
    """Adds the header `tocsin_slot` (entry and due time) to every scheduled message."""

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Celery's signature
        """Send one entry's task."""
        if entry.name in ENTRIES:
            due, task_id = last_due(ENTRIES[entry.name].cron, datetime.now(UTC)), str(uuid4())
            granted = schedule_headers(self.app, entry.task, entry.kwargs or {}, task_id, entry.name)
            headers = {"tocsin_slot": slot(entry.name, due), **granted}
            entry.options = {**entry.options, "task_id": task_id, "headers": headers}
        try:
            return super().apply_async(entry, producer=producer, advance=advance, **kwargs)
        except Exception as error:
            cause = error.__context__ or error  # Celery wraps the real one
            self.app.runtime.errors.record(cause, f"beat {entry.name}")
            raise
