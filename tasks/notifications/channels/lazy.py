"""A channel that is made when it is first needed: an HTTP client takes long to import, and most processes need none."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.notifications.channels.protocol import Channel, Message
    from tasks.utils.rows import Outcome


class Lazy:
    """Stands for the channel that `make` makes."""

    def __init__(self, make: Callable[[], Channel]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self.made: Channel | None = None

    def get(self) -> Channel:
        """The channel itself."""
        with self._lock:
            if self.made is None:
                self.made = self._make()
        return self.made

    def send(self, message: Message) -> Outcome:
        """Send by the channel."""
        return self.get().send(message)

    def close(self) -> None:
        """Close the channel, if it was ever made."""
        if self.made is not None:
            self.made.close()
