"""A beat that goes through the queues as alerts do, and shows that their workers live. It touches no row and no ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from tasks.utils.keys import Keys

EVERY: Final = timedelta(seconds=30)


class Pulse:
    """Sends the beat, and notes where it has come by."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._scripts = Scripts(client, keys)

    def ask(self) -> None:
        """Send a beat, unless one is on its way or has come through just now; one that got lost is sent again."""
        self._scripts.run("pulse", "ask", milliseconds(EVERY))

    def came_by(self, group: Literal["alert", "delivery"]) -> None:
        """A worker of this group has it; it goes on from there by itself."""
        self._scripts.run("pulse", group)
