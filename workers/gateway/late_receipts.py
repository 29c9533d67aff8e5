"""Whether PagerDuty shows what it took lately, read without holding up the gateway's loop."""

from typing import TYPE_CHECKING, Any

from tasks.incidents.receipt_figures import HOUR_MS, figures
from tasks.utils.keys import Keys

if TYPE_CHECKING:
    from tasks.incidents.receipt_models import ReceiptFigures


class LateReceipts:
    """Reads the counts of this hour and the one before."""

    def __init__(self, redis: Any, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    async def lately(self) -> "ReceiptFigures":
        """The figures of two hours by the clock."""
        seconds, _ = await self._redis.time()
        hour = (int(seconds) * 1000 + int(await self._redis.get(self._keys.clock) or 0)) // HOUR_MS
        pipe = self._redis.pipeline(transaction=False)
        for one in (hour - 1, hour):
            pipe.hgetall(self._keys.receipt_hours(one))
        pipe.hlen(self._keys.receipts)
        *counts, waiting = await pipe.execute()
        return figures(counts, 2, waiting)
