"""Schedules of layers: who is on call when, by rotations, restrictions and overrides, on the clocks of the schedule's zone.

Turns and restrictions go by what clocks show: a turn that begins at nine begins at nine on both sides of a change of time.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from deploy.sandbox.request import instant
from deploy.sandbox.shifts import Shift, Span, clip, epoch, joined, merged, paint, wall
from deploy.sandbox.zones import time_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from deploy.sandbox.store import Entity

DAY = timedelta(days=1)
FOREVER = float("inf")


def schedule_shifts(schedule: Entity, span: Span) -> list[Shift]:
    """The final schedule: overrides before layers, and of each the later before the earlier."""
    layers = [
        layer_shifts(layer, schedule["time_zone"], span) for layer in reversed(schedule.get("schedule_layers", ()))
    ]
    return paint([*([one] for one in reversed(override_shifts(schedule, span))), *layers], span)


def override_shifts(schedule: Entity, span: Span) -> list[Shift]:
    """The overrides that touch the span, in the order in which they were made."""
    found = (
        Shift(instant(one["start"], "start"), instant(one["end"], "end"), one["user"]["id"])
        for one in schedule.get("overrides", ())
    )
    return [one for one in found if one.start < span.end and one.end > span.start]


def layer_shifts(layer: Entity, zone_name: str, span: Span) -> list[Shift]:
    """One layer by itself, within the span."""
    zone = time_zone(zone_name)
    virtual = instant(layer["rotation_virtual_start"], "rotation_virtual_start")
    start = max(span.start, virtual, instant(layer["start"], "start"))
    end = min(span.end, instant(layer["end"], "end") if layer.get("end") else FOREVER)
    if start >= end:
        return []
    within = Span(start, end)
    turns = clip(_turns(layer, wall(virtual, zone), zone, within), [within])
    restrictions = layer.get("restrictions") or ()
    if restrictions:
        turns = clip(turns, merged(one for each in restrictions for one in _windows(each, zone, within)))
    return joined(turns)


def _turns(layer: Entity, first: datetime, zone: ZoneInfo, span: Span) -> Iterator[Shift]:
    length = timedelta(seconds=layer["rotation_turn_length_seconds"])
    users = [one["user"]["id"] for one in layer["users"]]
    # One turn early, since clocks may have been put forward since the first.
    turn = max(0, (wall(span.start, zone) - first) // length - 1)
    begins = epoch(first + turn * length, zone)
    while begins < span.end:
        ends = epoch(first + (turn + 1) * length, zone)
        yield Shift(begins, ends, users[turn % len(users)])
        begins, turn = ends, turn + 1


def _windows(restriction: Entity, zone: ZoneInfo, span: Span) -> Iterator[Span]:
    length = timedelta(seconds=restriction["duration_seconds"])
    opens = time.fromisoformat(restriction["start_time_of_day"])
    weekday = restriction["start_day_of_week"] if restriction["type"] == "weekly_restriction" else None
    day = datetime.combine(wall(span.start, zone).date(), opens) - length - DAY
    last = wall(span.end, zone)
    day = datetime.combine(day.date(), opens)
    while day <= last:
        if weekday in (None, day.isoweekday()):
            yield Span(epoch(day, zone), epoch(day + length, zone))
        day += DAY
