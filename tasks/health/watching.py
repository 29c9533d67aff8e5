"""How long the fleet was watched, and how much of that time it was alive: noted by the sentinel, look by look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from tasks.utils.keys import Keys

DAY_SECONDS: Final = 86_400
HOUR_MS: Final = 3_600_000


class Watched(BaseModel):
    """One day. What nobody watched is not counted either way: then nobody knows."""

    watched_ms: int = Field(0, description="How long a sentinel watched.")
    alive_ms: int = Field(0, description="Of that, how long the pulse came through all queues.")

    @property
    def alive_share(self) -> float | None:
        """How much of the watched time the fleet was alive."""
        return self.alive_ms / self.watched_ms if self.watched_ms else None

    @property
    def watched_hours(self) -> float:
        """How long it was watched."""
        return self.watched_ms / HOUR_MS


class Watching:
    """Counts by the fleet's clock."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)

    def note(self, *, is_alive: bool, together_ms: int) -> None:
        """A look was taken; looks further apart than `together_ms` do not add up."""
        self._scripts.run("health_watched", int(is_alive), together_ms)

    def days(self, since: datetime) -> dict[str, Watched]:
        """Every day from `since` on of which something is known, by `YYYY-MM-DD`."""
        first, last = (
            int(moment.timestamp()) // DAY_SECONDS for moment in (since, datetime.now(UTC) + timedelta(days=1))
        )
        pipe = self._client.pipeline(transaction=False)
        for day in range(first, last + 1):
            pipe.hgetall(self._keys.watched_days(day))
        return {
            f"{datetime.fromtimestamp(day * DAY_SECONDS, UTC):%Y-%m-%d}": Watched(
                watched_ms=int(row.get("watched", 0)), alive_ms=int(row.get("alive", 0))
            )
            for day, row in zip(range(first, last + 1), pipe.execute(), strict=True)
            if row
        }
