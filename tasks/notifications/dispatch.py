"""Hands attempts to the channels they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.notifications.channels.lazy import Lazy
from tasks.notifications.channels.protocol import AsyncChannel
from tasks.notifications.flights import Airspace, Flight, Flights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.notifications.channels.protocol import Address, Channel
    from tasks.notifications.letters import Letters
    from tasks.utils.rows import Attempt


class Dispatch:
    """Every kind of channel there is, the words for them, and how many sends may be under way at once in this process."""

    def __init__(self, channels: Mapping[str, Channel], letters: Letters, in_flight: int = 32) -> None:
        self._channels = channels
        self._letters = letters
        self._space = Airspace(in_flight)

    def flights(self, most: int) -> Flights:
        """Room for sends of one drain."""
        return Flights(self._space, most)

    def flight(self, attempt: Attempt, destination: str, address: Address, last_start: float) -> Flight:
        """An attempt ready to be sent, at the latest at `last_start`."""
        message = self._letters.message(attempt, destination, address)
        channel = self._channels[address.kind]
        return Flight(
            attempt, destination, channel.get() if isinstance(channel, Lazy) else channel, message, last_start
        )

    def close(self) -> None:
        """Let go of connections and threads."""
        for channel in self._channels.values():
            made = channel.made if isinstance(channel, Lazy) else channel
            if isinstance(made, AsyncChannel):
                self._space.loop.run(made.aclose())
            elif made is not None:
                made.close()
        self._space.close()
