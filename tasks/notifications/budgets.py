"""How much of each key's minute is spent, who waits, and when the backlog will be through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.notifications.models import BudgetView
from tasks.utils.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tasks.utils.keys import Keys

WINDOW: Final = timedelta(seconds=61)  # see lua/lib/budget.lua


class Budgets:
    """Reads the budgets of PagerDuty's keys; changes nothing."""

    def __init__(self, client: Any, keys: Keys, names: Mapping[str, Iterable[str]]) -> None:
        """`names`: key id -> where it is configured, such as `checkout via primary`."""
        self._client = client
        self._keys = keys
        self._names = names
        self._clock = Clock(client, keys)

    def list(self) -> list[BudgetView]:
        """Every key for which alerts have waited, the longest queue first."""
        now = self._clock.now()
        limits = self._client.hgetall(self._keys.budgets)
        views = [self._view(key, int(limit), now) for key, limit in limits.items()]
        return sorted(views, key=lambda view: -view.waiting)

    def _view(self, key: str, limit: int, now: datetime) -> BudgetView:
        since = (now - WINDOW).timestamp() * 1000
        used = self._client.zcount(self._keys.sends(key), since, "+inf")
        teams = self._client.zrange(self._keys.teams(key), 0, -1)
        waiting = {team: self._client.zcard(self._keys.parked(f"{key}|{team}")) for team in teams}
        total = sum(waiting.values())
        return BudgetView(
            key_id=key,
            used_by=sorted(self._names.get(key, ())),
            limit=limit,
            used=used,
            waiting=total,
            teams={team: count for team, count in waiting.items() if count},
            through_at=now.astimezone(UTC) + total / limit * WINDOW if total and limit else None,
        )
