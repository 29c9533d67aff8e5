"""Keeps Redis small: what is over, old and sealed leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.audit.models import ArchiveReport
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from tasks.audit.service import AuditRules
    from tasks.utils.keys import Keys


class Retention:
    """Runs the archive scripts page by page. Each is safe to run at any time, by any number."""

    def __init__(self, client: Any, keys: Keys, rules: AuditRules) -> None:
        self._scripts = Scripts(client, keys)
        self._rules = rules
        self._retention_ms = milliseconds(rules.retention)

    def archive(self) -> ArchiveReport:
        """Forget entries, events and alerts; at most `archive_pages` pages of each."""
        return ArchiveReport(entries=self._entries(), events=self._events(), alerts=self._alerts())

    def _entries(self) -> int:
        page = self._rules.archive_page
        total = 0
        for _ in range(self._rules.archive_pages):
            trimmed = int(self._scripts.run("archive_entries", self._retention_ms, page))
            total += trimmed
            if trimmed < page:
                break
        return total

    def _events(self) -> int:
        return self._run("archive_events", self._retention_ms)

    def _alerts(self) -> int:
        return self._run("archive_alerts", self._retention_ms, milliseconds(self._rules.silence))

    def _run(self, script: str, *args: int) -> int:
        page = self._rules.archive_page
        total = 0
        for _ in range(self._rules.archive_pages):
            seen, forgotten = self._scripts.run(script, *args, page)
            total += int(forgotten)
            if int(seen) < page:
                break
        return total
