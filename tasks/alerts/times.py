"""Whether a moment lies in a stretch of the week, by the clock on the wall of a time zone; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from config.routing import minutes_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from config.routing import Window

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Span(NamedTuple):
    """A window as numbers: weekdays it begins on (Monday = 0; empty = every day), minutes since midnight."""

    days: frozenset[int]
    start: int
    end: int
    text: str

    def holds(self, weekday: int, minute: int) -> bool:
        """Whether it is open then."""
        if self.start < self.end:
            return self.start <= minute < self.end and self._begins_on(weekday)
        if minute >= self.start:
            return self._begins_on(weekday)
        return minute < self.end and self._begins_on((weekday - 1) % 7)

    def _begins_on(self, weekday: int) -> bool:
        return not self.days or weekday in self.days


class Times:
    """Windows in one time zone, one of which must be open.

    The wall clock counts: an hour that is skipped in spring never comes, the one that comes twice in autumn counts twice.
    """

    __slots__ = ("_spans", "_zone")

    def __init__(self, windows: Sequence[Window], zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._spans = tuple(_span(window, zone) for window in windows)

    def open_at(self, now: datetime | None) -> str | None:
        """What the window that is open now says, or None while all are closed. `now` must be aware."""
        if now is None:
            raise ValueError("these routes look at the clock; give the time")
        local = now.astimezone(self._zone)
        weekday, minute = local.weekday(), local.hour * 60 + local.minute
        return next((span.text for span in self._spans if span.holds(weekday, minute)), None)

    def wall_clock(self, now: datetime) -> str:
        """The time there, for people: `Sat 14:05`."""
        return f"{now.astimezone(self._zone):%a %H:%M}"

    def __str__(self) -> str:
        return " or ".join(span.text for span in self._spans)


def _span(window: Window, zone: str) -> Span:
    days = frozenset(DAYS.index(day) for day in window.days)
    return Span(days, minutes_of(window.start), minutes_of(window.end), f"{window} {zone}")
