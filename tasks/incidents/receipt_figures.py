"""How many alerts PagerDuty was seen to have made incidents of, and how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.incidents.receipt_models import ReceiptFigures

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tasks.utils.clock import Clock
    from tasks.utils.keys import Keys

HOUR_MS: Final = 3_600_000
MOST_HOURS: Final = 168
WITHIN: Final = "within:"
COUNTED: Final = ("seen", "unverified", "missed", "ended")


class Figures:
    """Reads what lua/lib/receipt.lua counts; a week of it is kept."""

    def __init__(self, client: Any, keys: Keys, clock: Clock) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock

    def over(self, hours: int) -> ReceiptFigures:
        """The last so many hours by the clock, the one that has just begun among them."""
        now = self._clock.now_ms() // HOUR_MS
        pipe = self._client.pipeline(transaction=False)
        for hour in range(now - hours + 1, now + 1):
            pipe.hgetall(self._keys.receipt_hours(hour))
        pipe.hlen(self._keys.receipts)
        *counts, waiting = pipe.execute()
        return figures(counts, hours, waiting)


def figures(counts: Iterable[Mapping[str, str]], hours: int, waiting: int) -> ReceiptFigures:
    """The figures of some hours, from the counts of each."""
    total: dict[str, int] = {}
    for hour in counts:
        for name, number in hour.items():
            total[name] = total.get(name, 0) + int(number)
    buckets = {name.removeprefix(WITHIN): number for name, number in total.items() if name.startswith(WITHIN)}
    return ReceiptFigures(
        hours=hours,
        waiting=waiting,
        **{name: total.get(name, 0) for name in COUNTED},
        **{f"p{share}_seconds": _within(buckets, share) for share in (50, 90, 99)},
    )


def _within(buckets: Mapping[str, int], percent: int) -> float | None:
    """The bound of the bucket that the percentile lies in; None beyond the last, and where there is nothing."""
    wanted, reached = sum(buckets.values()) * percent / 100, 0
    for bound in sorted(int(name) for name in buckets if name != "more"):
        reached += buckets[str(bound)]
        if reached >= wanted:
            return float(bound)
    return None
