"""Which backups to keep: a pure decision over the times they were made at."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tasks.backups.manifests import Snapshot


@dataclass(frozen=True, slots=True)
class Keep:
    """How many to keep: of all, and of hours, days, weeks and months the newest one in each. All times are UTC."""

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether it would keep nothing, which nobody can have meant."""
        return not any((self.last, self.hourly, self.daily, self.weekly, self.monthly))


_SPANS: Final[dict[str, Callable[[datetime], str]]] = {
    "hourly": lambda at: f"{at:%Y-%m-%d %H}",
    "daily": lambda at: f"{at:%Y-%m-%d}",
    "weekly": lambda at: f"{at:%G-W%V}",
    "monthly": lambda at: f"{at:%Y-%m}",
}


def kept(snapshots: Sequence[Snapshot], keep: Keep) -> dict[str, list[str]]:
    """The ids of those to keep, each with the reasons why; the oldest snapshot stands first in `snapshots`.

    Backups of different parts do not displace each other: the rules hold for each set of parts by itself.
    """
    groups: dict[tuple[str, ...], list[Snapshot]] = defaultdict(list)
    for snapshot in snapshots:
        groups[tuple(sorted(snapshot.parts))].append(snapshot)
    return {name: why for group in groups.values() for name, why in _kept(group, keep).items()}


def _kept(snapshots: Sequence[Snapshot], keep: Keep) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = defaultdict(list)
    newest_first = list(reversed(snapshots))
    for snapshot in newest_first[: keep.last]:
        reasons[snapshot.id].append("last")
    for name, span in _SPANS.items():
        left, seen = getattr(keep, name), set[str]()
        for snapshot in newest_first:
            place = span(snapshot.created.astimezone(UTC))
            if place not in seen and len(seen) < left:
                seen.add(place)
                reasons[snapshot.id].append(name)
    return dict(reasons)
