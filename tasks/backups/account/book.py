"""What a restore's journal says: what was made, and what may have been."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tasks.backups.account.shelf import Name
    from tasks.backups.restoring import Journal

Made = tuple[str, str, str]
"""A kind, the old id, the new one."""


class Book:
    """A journal as this restore reads and writes it. `made`: old name -> new id. `open`: what was begun and not written down as done."""

    def __init__(self, journal: Journal, host: str) -> None:
        self._journal = journal
        self.made: dict[Name, str] = {}
        self.open: dict[Name, datetime] = {}
        hosts: set[str] = set()
        for entry in journal.read():
            self._recall(entry)
            if entry.get("account"):  # PagerDuty does not tell it of an account with nothing in it
                hosts.add(entry["account"])
        if hosts - {host}:
            raise PermanentError(
                f"this journal is of a restore into {', '.join(hosts - {host})}, not {host}; use another"
            )
        if not hosts:
            journal.write({"account": host})

    def begin(self, names: Iterable[Name], now: datetime) -> None:
        """Write down what is about to be made."""
        begun = [list(name) for name in names]
        if begun:
            self._keep({"intents": begun, "at": now.timestamp()})

    def end(self, made: Iterable[Made], failed: Iterable[Name] = ()) -> None:
        """Write down what was made, and what certainly was not."""
        done, not_done = [list(one) for one in made], [list(one) for one in failed]
        if done or not_done:
            self._keep({"made": done, "failed": not_done})

    def _keep(self, entry: dict[str, Any]) -> None:
        self._journal.write(entry)
        self._recall(entry)

    def _recall(self, entry: dict[str, Any]) -> None:
        for kind, old in entry.get("intents", ()):
            self.open[kind, old] = datetime.fromtimestamp(entry["at"], UTC)
        for kind, old, new in entry.get("made", ()):
            self.made[kind, old] = new
            self.open.pop((kind, old), None)
        for kind, old in entry.get("failed", ()):
            self.open.pop((kind, old), None)
