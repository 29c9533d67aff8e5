"""When hours are open, by the clock on the wall of a time zone and its holidays; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST: Final = 400  # days: hours that do not come in more than a year never do
DAY: Final = timedelta(days=1)
SECOND: Final = timedelta(seconds=1)


class Span(NamedTuple):
    """A stretch of the week: weekdays it begins on (Monday = 0; none = every day), minutes since midnight."""

    days: tuple[int, ...]
    start: int
    end: int  # not after the start = on the next day

    def begun(self, day: date, minute: int) -> date | None:
        """The day on which the stretch began that holds this minute, None if none does."""
        began: date | None = None
        if self.start < self.end:
            began = day if self.start <= minute < self.end else None
        elif minute >= self.start:
            began = day
        elif minute < self.end:
            began = day - DAY
        return began if began is not None and self._on(began) else None

    def _on(self, day: date) -> bool:
        return not self.days or day.weekday() in self.days

    def __str__(self) -> str:
        days = ",".join(DAYS[day] for day in self.days) or "every day"
        return f"{days} {self.start // 60:02}:{self.start % 60:02}-{self.end // 60:02}:{self.end % 60:02}"


class Holiday(NamedTuple):
    """A day on which no stretch begins: `2026-12-25`, or `12-25` for that of every year; and what people call it."""

    day: str
    name: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Hours in one time zone.

    They are open while the clock on the wall shows a time within a stretch that began on no holiday of the zone. Hence an
    hour that is skipped in spring never comes, one that comes twice in autumn counts twice, and a beginning that is skipped
    is the moment after the gap.
    """

    name: str
    zone: str
    spans: tuple[Span, ...]
    holidays: tuple[Holiday, ...] = ()
    _named: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    _found: dict[bool, tuple[datetime, datetime]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._named.update(self.holidays)

    def is_open(self, at: datetime) -> bool:
        """Whether they are open then. `at` must be aware."""
        wall = self.wall(at)
        minute = wall.hour * 60 + wall.minute
        began = (span.begun(wall.date(), minute) for span in self.spans)
        return any(day is not None and self.holiday(day) is None for day in began)

    def next_when(self, at: datetime, *, is_open: bool) -> datetime | None:
        """The first moment from `at` on, in UTC, at which they are open, or closed; None if none comes in over a year."""
        at = at.astimezone(UTC)
        known = self._found.get(is_open)
        if known and known[0] <= at < known[1]:
            return known[1]
        if self.is_open(at) is is_open:
            return at
        found = self._search(at, is_open=is_open)
        if found is not None:
            self._found[is_open] = at, found  # a storm at night asks this of every alert
        return found

    def _search(self, at: datetime, *, is_open: bool) -> datetime | None:
        first = self.wall(at).date() - DAY
        for number in range(LONGEST):
            found = [one for one in self._edges(first + number * DAY) if one > at and self.is_open(one) is is_open]
            if found:
                return min(found)
        return None

    def wall(self, at: datetime) -> datetime:
        """The time that the clock on the wall shows there."""
        return at.astimezone(ZoneInfo(self.zone))

    def holiday(self, day: date) -> str | None:
        """What people call that day, None if it is no holiday."""
        return self._named.get(f"{day:%Y-%m-%d}") or self._named.get(f"{day:%m-%d}")

    def why(self, at: datetime) -> str:
        """Why they are open or closed then, for people."""
        wall = self.wall(at)
        holiday = self.holiday(wall.date())
        shown = f"{wall:%a %H:%M}, {holiday}" if holiday and not self.is_open(at) else f"{wall:%a %H:%M}"
        return f"{self.name} {'open' if self.is_open(at) else 'closed'} ({shown})"

    def __str__(self) -> str:
        return f"{self.name} ({' or '.join(map(str, self.spans))} {self.zone})"

    def _edges(self, day: date) -> Iterator[datetime]:
        """Every moment of a day of the wall at which they may open or close: wherever its clock reaches an edge, or jumps."""
        zone = ZoneInfo(self.zone)
        midnight = datetime.combine(day, time(), zone)
        for minute in sorted({edge for span in self.spans for edge in (span.start, span.end)}):
            reached = (datetime.combine(day, time()) + timedelta(minutes=minute)).replace(tzinfo=zone)
            yield reached.astimezone(UTC)
            yield reached.replace(fold=1).astimezone(UTC)
        jump = _jump(zone, midnight.astimezone(UTC) - SECOND, (midnight + DAY).astimezone(UTC))
        if jump is not None:
            yield jump

    def plain(self) -> dict[str, Any]:
        """Itself as JSON can hold it."""
        return {
            "zone": self.zone,
            "spans": [list(span) for span in self.spans],
            "holidays": [list(one) for one in self.holidays],
        }

    @classmethod
    def thawed(cls, name: str, plain: dict[str, Any]) -> Calendar:
        """The calendar that `plain` was made of."""
        spans = tuple(Span(tuple(days), start, end) for days, start, end in plain["spans"])
        return cls(name, plain["zone"], spans, tuple(Holiday(*one) for one in plain["holidays"]))


def _jump(zone: ZoneInfo, before: datetime, after: datetime) -> datetime | None:
    """The second between two moments at which the clock of a zone is set forward or back, None if it is not."""
    was = before.astimezone(zone).utcoffset()
    if after.astimezone(zone).utcoffset() == was:
        return None
    while after - before > SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == was:
            before = middle
        else:
            after = middle
    return after
