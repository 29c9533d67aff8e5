"""Notices what was due and nobody ran, and calls for it: once for each entry, however many runs were left out, while its time allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from schedules.beat import Entry
    from tasks.utils.slots import Slots

log = structlog.get_logger("tocsin.schedules")


class MissedRuns:
    """Looks at every entry that is on. Any number may look: one at most calls for a run, and again after two minutes if nobody came."""

    def __init__(self, slots: Slots, entries: Mapping[str, Entry], send: Callable[[str, Entry], None]) -> None:
        self._slots = slots
        self._entries = {name: entry for name, entry in entries.items() if entry.enabled}
        self._send = send

    def look(self) -> list[str]:
        """Look once; the entries that were called for."""
        seen = self._slots.watch_all({name: (entry.cron, entry.catch_up) for name, entry in self._entries.items()})
        called = [name for name, sight in seen.items() if sight == "call"]
        for name in called:
            log.warning("scheduled_run_called_for", entry=name, meaning="nobody had run it in time")
            self._send(name, self._entries[name])
        return called
