"""Schedules of rotations (v3): who is on call when, by recurring events, custom shifts and overrides."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dateutil.rrule import rrulestr

from deploy.sandbox.request import instant
from deploy.sandbox.shifts import Shift, Span, clip, epoch, joined, wall, without
from deploy.sandbox.zones import time_zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from deploy.sandbox.store import Entity

FOREVER = float("inf")
NOBODY = ""


def rotation_shifts(schedule: Entity, span: Span) -> list[Shift]:
    """Everybody on call within the span; several may be at once. An overridden shift is its stand-in's."""
    shifts = [
        shift._replace(source={"type": "schedule_rotation", "rotation_id": rotation["id"]})
        for rotation in schedule.get("rotations", ())
        for event in rotation["events"]
        for shift in event_shifts(event, span)
    ]
    shifts += [_custom(one) for one in schedule.get("custom_shifts", ())]
    for override in schedule.get("overrides", ()):
        shifts = list(_overridden(shifts, override))
    return joined(one for one in clip(shifts, [span]) if one.user != NOBODY)


def event_shifts(event: Entity, span: Span) -> Iterator[Shift]:
    """The shifts of one event of a rotation; nobody's where the turn is an empty member's."""
    strategy, members = event["assignment_strategy"], event["assignment_strategy"]["members"]
    since = instant(event["effective_since"], "effective_since")
    until = instant(event["effective_until"], "effective_until") if event.get("effective_until") else FOREVER
    effective = [Span(max(since, span.start), min(until, span.end))]
    for number, occurrence in _occurrences(event, effective[0]):
        turn = number // strategy.get("shifts_per_member", 1)
        every = strategy["type"] == "every_member_assignment_strategy"
        for member in members if every else (members[turn % len(members)],):
            yield from clip([Shift(*occurrence, user_of(member))], effective)


def user_of(member: Entity) -> str:
    """The id of the user a member stands for; empty where the slot is nobody's on purpose."""
    return str(member["user_id"]) if member["type"] == "user_member" else NOBODY


def recurrence(event: Entity) -> Iterable[datetime]:
    """When the event begins, on the clocks of its zone, without end where the rule has none. ValueError: no such rule."""
    zone = time_zone(event["start_time"]["time_zone"])
    first = wall(instant(event["start_time"]["date_time"], "start_time"), zone)
    lines = [line if ":" in line else f"RRULE:{line}" for line in event["recurrence"]]
    rule: Iterable[datetime] = rrulestr("\n".join(lines), dtstart=first, forceset=True, ignoretz=True)
    return rule


def _occurrences(event: Entity, span: Span) -> Iterator[tuple[int, Span]]:
    zone = time_zone(event["start_time"]["time_zone"])
    starts = wall(instant(event["start_time"]["date_time"], "start_time"), zone)
    length = wall(instant(event["end_time"]["date_time"], "end_time"), zone) - starts
    latest = wall(span.end, zone) if span.end != FOREVER else None
    for number, begins in enumerate(recurrence(event)):
        if latest is not None and begins > latest:
            return
        if begins + length + timedelta(hours=3) >= wall(span.start, zone):
            yield number, Span(epoch(begins, zone), epoch(begins + length, zone))


def _custom(shift: Entity) -> Shift:
    source = {"type": "custom_shift", "shift_id": shift["id"]}
    user = user_of(shift["assignments"][0]["member"])
    return Shift(instant(shift["start_time"], "start_time"), instant(shift["end_time"], "end_time"), user, source)


def _overridden(shifts: Iterable[Shift], override: Entity) -> Iterator[Shift]:
    span = Span(instant(override["start_time"], "start_time"), instant(override["end_time"], "end_time"))
    overridden, overriding = user_of(override["overridden_member"]), user_of(override["overriding_member"])
    place = ("rotation_id", override["rotation_id"]) if override.get("rotation_id") else (
        "shift_id", override.get("custom_shift_id")
    )  # fmt: skip
    for shift in shifts:
        if shift.user != overridden or shift.source.get(place[0]) != place[1]:
            yield shift
            continue
        kind = "custom_shift_override" if place[0] == "shift_id" else "schedule_rotation_override"
        source = {"type": kind, place[0]: place[1], "override_id": override["id"]}
        yield from clip([shift], without([Span(shift.start, shift.end)], [span]))
        yield from clip([shift._replace(user=overriding, source=source)], [span])
