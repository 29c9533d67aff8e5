"""Spans of time and who is on call in them. Times are epoch seconds; a span ends just before its end."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from zoneinfo import ZoneInfo

NOWHERE: Mapping[str, Any] = {}


class Span(NamedTuple):
    """A time from its start to just before its end."""

    start: float
    end: float


class Shift(NamedTuple):
    """One person on call from start to end. `source` says where it comes from, where that is of interest."""

    start: float
    end: float
    user: str
    source: Mapping[str, Any] = NOWHERE


def wall(at: float, zone: ZoneInfo) -> datetime:
    """What clocks in that zone show."""
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None)


def epoch(shown: datetime, zone: ZoneInfo) -> float:
    """When clocks in that zone show this: the first time where they show it twice, the moment of the leap where never."""
    return shown.replace(tzinfo=zone).timestamp()


def clip(shifts: Iterable[Shift], spans: Iterable[Span]) -> Iterator[Shift]:
    """What of the shifts lies within the spans, which must not overlap; in the order of the shifts."""
    kept = sorted(spans)
    ends = [span.end for span in kept]
    for shift in shifts:
        for place in range(bisect_right(ends, shift.start), len(kept)):
            start, end = max(shift.start, kept[place].start), min(shift.end, kept[place].end)
            if start >= end:
                break
            yield Shift(start, end, shift.user, shift.source)


def without(spans: Iterable[Span], taken: Iterable[Span | Shift]) -> list[Span]:
    """What is left of the spans."""
    gone = merged(Span(one.start, one.end) for one in taken)
    ends = [one.end for one in gone]
    left = []
    for span in spans:
        start = span.start
        for place in range(bisect_right(ends, span.start), len(gone)):
            if gone[place].start >= span.end:
                break
            left.append(Span(start, gone[place].start))
            start = gone[place].end
        left.append(Span(start, span.end))
    return [span for span in left if span.start < span.end]


def paint(layers: Iterable[Iterable[Shift]], span: Span) -> list[Shift]:
    """One person at a time: where layers overlap, the earlier of them decides."""
    free, painted = [span], list[Shift]()
    for layer in layers:
        visible = list(clip(layer, free))
        painted += visible
        free = without(free, visible)
    return joined(painted)


def joined(shifts: Iterable[Shift]) -> list[Shift]:
    """In order of time; a person's shifts that follow on each other are one."""
    found: list[Shift] = []
    for shift in sorted(shifts, key=lambda one: one.start):
        last = found[-1] if found else None
        if last is not None and last.end == shift.start and (last.user, last.source) == (shift.user, shift.source):
            found[-1] = last._replace(end=shift.end)
        else:
            found.append(shift)
    return found


def merged(spans: Iterable[Span]) -> list[Span]:
    """The spans as few that do not touch."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def coverage(shifts: Iterable[Shift], span: Span) -> float:
    """How much of the span is covered, in percent."""
    covered = merged(Span(max(one.start, span.start), min(one.end, span.end)) for one in shifts if one.end > span.start)
    return round(100 * sum(max(0.0, one.end - one.start) for one in covered) / (span.end - span.start), 1)
