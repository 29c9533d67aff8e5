"""What must have run by now, for whoever looks once: `tocsin health`, and the task behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from schedules.entries import entries_of
from tasks.utils.cron import last_due

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from config.models import Settings

SLACK: Final = timedelta(minutes=2)  # what was due before must have been claimed by now


def due_by(settings: Callable[[], Settings]) -> Callable[[datetime, datetime], Mapping[str, datetime | None]]:
    """Says for a moment, and for when the fleet began, when each entry was due: that run, or a later one, must have been claimed.

    None where it was not due since the fleet began. Entries that are off are left out.
    """

    def expected(now: datetime, began: datetime) -> Mapping[str, datetime | None]:
        entries = entries_of(settings().schedules)
        dues = {name: last_due(entry.cron, now - SLACK) for name, entry in entries.items() if entry.enabled}
        return {name: due if due >= began else None for name, due in dues.items()}

    return expected
