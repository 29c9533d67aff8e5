"""The messages that call for scheduled tasks, as Celery sends them."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from tasks.utils.cron import last_due
from tasks.utils.slots import Call
from workers.schedule_grants import schedule_headers

if TYPE_CHECKING:
    from datetime import datetime

    from schedules.beat import Entry

EXPIRES: Final = 3600  # seconds; by then somebody has called anew, see `schedules/missed.py`


def call_of(name: str, entry: Entry, now: datetime) -> Call:
    """The run that is due now."""
    return Call(name, last_due(entry.cron, now.astimezone(UTC)), entry.cron, entry.catch_up)


def said(app: Any, entry: Entry, call: Call) -> dict[str, Any]:
    """What names the run in a message, as options of Celery; with the grant of the schedule where the task is a destructive one."""
    task_id = str(uuid4())
    granted = schedule_headers(app, entry.task, dict(entry.arguments), task_id, call.entry)
    return {"task_id": task_id, "headers": {**call.headers, **granted}}


def send(app: Any, entry: Entry, call: Call) -> None:
    """Call for it."""
    app.send_task(entry.task, kwargs=dict(entry.arguments), expires=EXPIRES, **said(app, entry, call))
