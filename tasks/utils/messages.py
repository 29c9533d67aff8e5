"""Counts how often one Celery message was handed to a worker, so that a message that kills workers is found out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from tasks.utils.keys import Keys

FORGET_AFTER_SECONDS: Final = 86_400  # hygiene only: a message that comes back after a day starts counting anew


class Delivery(NamedTuple):
    """The `times`-th time a message came back; `since`: when it did so first (ms)."""

    times: int
    since: str


class MessageGuard:
    """Delivery counters of redelivered messages."""

    def __init__(self, client: Any, keys: Keys, most_deliveries: int) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self.most_deliveries = most_deliveries

    def delivered(self, message_id: str) -> Delivery:
        """Count one more delivery of a message."""
        count, since = self._scripts.run("count_delivery", message_id, FORGET_AFTER_SECONDS)
        return Delivery(int(count), since)

    def forget(self, message_id: str) -> None:
        """The message is done with, or has at least not killed its worker this time."""
        self._client.delete(self._keys.deliveries(message_id))
