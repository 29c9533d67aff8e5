"""Lists by time, longer than the 10,000 that PagerDuty lists: the time is halved until each part is short enough."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.rest.pages import FURTHEST, OffsetReader, TooLongError, items_of
from tasks.utils.rest.parameters import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tasks.utils.rest.pages import Item, Read

LONGEST: Final = timedelta(days=180)  # PagerDuty takes 6 months
USUAL: Final = timedelta(days=30)  # what PagerDuty lists where nothing is said
SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Span:
    """From when to when; None leaves that end to PagerDuty: a month back, and now."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def filters(self) -> dict[str, Any]:
        """As a query says it."""
        return {"since": self.since, "until": self.until}

    def halves(self, now: Callable[[], datetime]) -> list[Span]:
        """The earlier and the later half, parted at a full second. TooLongError where it is a second already."""
        until = self.until or now()
        since = self.since or until - USUAL
        seconds = int((until - since) / 2 / SECOND)
        if seconds < 1:
            raise TooLongError(
                f"there are more than {FURTHEST:,} in one second ({since.isoformat()}); narrow the filters"
            )
        middle = since.replace(microsecond=0) + seconds * SECOND
        return [Span(since, middle), Span(middle, self.until)]

    def parts(self, now: Callable[[], datetime]) -> list[Span]:
        """Parts that PagerDuty takes, earliest first."""
        since = self.since
        if since is None or (self.until or now()) - since <= LONGEST:
            return [self]
        return [Span(since, since + LONGEST), *Span(since + LONGEST, self.until).parts(now)]


@dataclass(frozen=True)
class TimeReader:
    """Reads a list that PagerDuty orders by time. `now` is asked only where a list without an end must be parted."""

    read: Read
    name: str
    now: Callable[[], datetime]
    newest_first: bool = False

    def items(self, span: Span) -> Iterator[Item]:
        """All items of the span, in order, each once. TooLongError where one second has more than 10,000."""
        waiting = self._reversed(span.parts(self.now))
        before: set[str] = set()
        broken_off: set[str] = set()  # what came of parts that were too long lies anywhere in their halves
        while waiting:
            part = waiting.pop()
            reader = self._reader(part)
            known = before | broken_off  # what lies on the border of two parts is in both
            reader.seen |= known
            first = reader.page(0, total=True)
            if (first.get("total") or 0) <= FURTHEST:
                try:
                    yield from reader.items(first)
                except TooLongError:  # it has grown, or PagerDuty did not count it
                    pass
                else:
                    before = reader.seen - known
                    continue
            broken_off = set(reader.seen)
            waiting += self._reversed(part.halves(self.now))

    def everything(self) -> Iterator[Item]:
        """All items there are, however old: `date_range=all`, or from the oldest on where there are too many."""
        reader = OffsetReader(lambda page: self.read({"date_range": "all", **page}), self.name)
        first = reader.page(0, total=True)
        if (first.get("total") or 0) <= FURTHEST:
            return reader.items(first)
        oldest = self.read({"date_range": "all", "limit": 1, "sort_by": "created_at:asc"})
        return self.items(Span(moment(items_of(oldest, self.name)[0]["created_at"])))

    def _reversed(self, parts: list[Span]) -> list[Span]:
        """As a stack: what is to be read next is last."""
        return parts if self.newest_first else parts[::-1]

    def _reader(self, part: Span) -> OffsetReader:
        return OffsetReader(lambda page: self.read({**part.filters, **page}), self.name)
