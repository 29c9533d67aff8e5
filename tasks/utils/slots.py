"""Gives each scheduled run to one message only, however many beats there are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from tasks.utils.keys import Keys

REMEMBERED: Final = timedelta(days=8)


class Slots:
    """Claims of scheduled runs. A slot is `<entry>@<due time>`."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._scripts = Scripts(client, keys)

    def claim(self, slot: str, message_id: str) -> bool:
        """True for the first message that asks for the slot, and for that same message again."""
        return bool(self._scripts.run("slot_claim", slot, message_id, milliseconds(REMEMBERED)))
