"""Hands one attempt to the channel it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.notifications.channels.protocol import Address, Channel
    from tasks.notifications.letters import Letters
    from tasks.utils.rows import Attempt, Outcome


class Dispatch:
    """Every kind of channel there is, and the words for them."""

    def __init__(self, channels: Mapping[str, Channel], letters: Letters) -> None:
        self._channels = channels
        self._letters = letters

    def send(self, attempt: Attempt, destination: str, address: Address) -> Outcome:
        """Send once; what the answer means."""
        return self._channels[address.kind].send(self._letters.message(attempt, destination, address))

    def close(self) -> None:
        """Let go of connections."""
        for channel in self._channels.values():
            channel.close()
