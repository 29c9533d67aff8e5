"""Breakers and limits as they stand, for people: what is open, since when and why, and who forced it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, Field

from tasks.utils.clock import Clock
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tasks.utils.keys import Keys

Forced = Literal["open", "closed"]
State = Literal["closed", "open", "half_open", "forced_open", "forced_closed"]
RECENT: Final = 20


class BreakerView(BaseModel):
    """One endpoint's breaker."""

    name: str
    state: State = "closed"
    failures: int = Field(0, description="Calls that failed in the running window.")
    answers: int = Field(0, description="Calls that were answered in it.")
    down_since: datetime | None = Field(None, description="Since when the endpoint does not answer.")
    open_until: datetime | None = Field(None, description="When it is asked again.")
    forced_by: str = ""
    forced_why: str = ""
    forced_until: datetime | None = None

    @property
    def is_shut(self) -> bool:
        """Whether calls wait."""
        return self.state in ("open", "half_open", "forced_open")


class BreakerChange(BaseModel):
    """One moment at which a breaker changed."""

    at: datetime
    name: str
    state: str = Field(description="open, half_open, closed, forced_open, forced_closed or released.")
    reason: str = ""
    author: str = Field("", description="Who did it; empty where it happened by itself.")


class LimitView(BaseModel):
    """One limit."""

    name: str
    interval_ms: float = Field(description="Time for one.")
    burst: int = Field(description="How many at once after a rest.")
    left: int = Field(description="How many of those may go now.")
    rests_until: datetime | None = Field(None, description="The other side asked for a pause until then.")


class Breakers:
    """Lists breakers, and lets a person decide on one."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._clock = Clock(client, keys)

    def list(self, endpoints: Iterable[str] = ()) -> list[BreakerView]:
        """Those that are not simply closed, and those of `endpoints` in any case; by name."""
        known = set(self._client.zrange(self._keys.breakers, 0, -1))
        now = self._clock.now_ms()
        views = [
            view_of(name, self._client.hgetall(self._keys.breaker(name)), now)
            for name in sorted(known | set(endpoints))
        ]
        wanted = set(endpoints)
        return [view for view in views if view.name in wanted or view.state != "closed" or view.failures]

    def history(self, most: int = RECENT) -> Sequence[BreakerChange]:
        """The last changes, newest first."""
        return [
            BreakerChange(at=_moment(row["t"]), name=row["b"], state=row["s"], reason=row["r"], author=row["a"])
            for _, row in self._client.xrevrange(self._keys.breaker_events, count=most)
        ]

    def force(self, name: str, how: Forced, span: timedelta, author: str, comment: str) -> datetime:
        """Hold a breaker open or closed for so long; returns until when."""
        until: datetime = _moment(self._scripts.run("breaker_force", name, how, milliseconds(span), author, comment))
        return until

    def release(self, name: str, author: str, comment: str = "") -> bool:
        """Let a forced breaker stand as it would by itself; False when nobody had forced it."""
        return bool(self._scripts.run("breaker_force", name, "released", 0, author, comment))


class LimitViews:
    """Lists limits."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._clock = Clock(client, keys)

    def list(self) -> list[LimitView]:
        """Every limit that was ever used, by name."""
        now = self._clock.now_ms()
        names = sorted(self._client.zrange(self._keys.limits, 0, -1))
        return [self._view(name, self._client.hgetall(self._keys.limit(name)), now) for name in names]

    def _view(self, name: str, row: Mapping[str, str], now: int) -> LimitView:
        interval, burst = max(float(row["interval"]), float(row.get("slower", 0))), int(row["burst"])
        spent = max(float(row.get("tat", 0)) - now, 0) / interval
        rests_until = int(row.get("rests_until", 0))
        left = 0 if rests_until > now else max(int(burst - spent), 0)
        return LimitView(
            name=name,
            interval_ms=interval,
            burst=burst,
            left=left,
            rests_until=_moment(rests_until) if rests_until > now else None,
        )


def view_of(name: str, row: Mapping[str, str], now: int) -> BreakerView:
    """A breaker as its hash has it at this moment (ms)."""
    is_forced = "forced" in row and int(row["forced_since"]) <= now < int(row["forced_until"])
    return BreakerView(
        name=name,
        state=_state(row, now, is_forced=is_forced),
        failures=int(row.get("failures", 0)),
        answers=int(row.get("answers", 0)),
        down_since=_moment(row.get("down_since")),
        open_until=_moment(row.get("open_until")),
        forced_by=row.get("forced_by", "") if is_forced else "",
        forced_why=row.get("forced_why", "") if is_forced else "",
        forced_until=_moment(row.get("forced_until")) if is_forced else None,
    )


def _state(row: Mapping[str, str], now: int, *, is_forced: bool) -> State:
    if is_forced:
        return "forced_open" if row["forced"] == "open" else "forced_closed"
    if "open_until" not in row:
        return "closed"
    return "open" if int(row["opened"]) <= now < int(row["open_until"]) else "half_open"


def _moment(at: str | int | None) -> Any:
    return None if at is None else datetime.fromtimestamp(int(at) / 1000, UTC)
