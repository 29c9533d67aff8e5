"""Counts how often one Celery message was handed to a worker, so that a message that kills workers is found out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tasks.utils.keys import Keys

FORGET_AFTER_SECONDS: Final = 86_400  # hygiene only: a message that comes back after a day starts counting anew


class MessageGuard:
    """Delivery counters of redelivered messages."""

    def __init__(self, client: Any, keys: Keys, most_deliveries: int) -> None:
        self._client = client
        self._keys = keys
        self.most_deliveries = most_deliveries

    def delivered(self, message_id: str) -> int:
        """Count one more delivery of a message; returns how many there were."""
        key = self._keys.deliveries(message_id)
        count = int(self._client.incr(key))
        self._client.expire(key, FORGET_AFTER_SECONDS)
        return count

    def forget(self, message_id: str) -> None:
        """The message is done with."""
        self._client.delete(self._keys.deliveries(message_id))
