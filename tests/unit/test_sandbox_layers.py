"""Who is on call in the sandbox's schedules of layers, on both sides of a change of time."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deploy.sandbox.layers import layer_shifts, schedule_shifts
from deploy.sandbox.shifts import Shift, Span, coverage

HOUR = 3600
DAY = 24 * HOUR


def at(written: str, zone: str) -> float:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone)).timestamp()


def span(since: str, until: str, zone: str) -> Span:
    return Span(at(since, zone), at(until, zone))


def layer(zone: str, start: str, turn: int, *users: str, **more: Any) -> dict[str, Any]:
    began = datetime.fromtimestamp(at(start, zone), ZoneInfo(zone)).isoformat()
    named = [{"user": {"id": user, "type": "user_reference"}} for user in users]
    return {
        "id": "PLAYER1",
        "start": began,
        "rotation_virtual_start": began,
        "rotation_turn_length_seconds": turn,
        "users": named,
        **more,
    }


def schedule(zone: str, *layers: dict[str, Any], overrides: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"id": "PSCHED1", "time_zone": zone, "schedule_layers": list(layers), "overrides": list(overrides)}


def override(user: str, start: str, end: str, zone: str) -> dict[str, Any]:
    times = {
        name: datetime.fromtimestamp(at(written, zone), ZoneInfo(zone)).isoformat()
        for name, written in (("start", start), ("end", end))
    }
    return {"id": f"PO{user}{start}", "user": {"id": user, "type": "user_reference"}, **times}


def told(shifts: list[Shift], zone: str) -> list[tuple[str, str, str]]:
    return [
        (
            one.user,
            datetime.fromtimestamp(one.start, ZoneInfo(zone)).strftime("%m-%d %H:%M"),
            datetime.fromtimestamp(one.end, ZoneInfo(zone)).strftime("%m-%d %H:%M"),
        )
        for one in shifts
    ]


@pytest.mark.parametrize(
    ("zone", "before", "after", "hours"),
    [
        ("America/New_York", "2026-03-07T09:00", "2026-03-08T09:00", 23),
        ("America/New_York", "2026-10-31T09:00", "2026-11-01T09:00", 25),
        ("Europe/Berlin", "2026-03-28T09:00", "2026-03-29T09:00", 23),
        ("Europe/Berlin", "2026-10-24T09:00", "2026-10-25T09:00", 25),
        ("Australia/Lord_Howe", "2026-10-03T09:00", "2026-10-04T09:00", 23.5),
        ("Australia/Lord_Howe", "2026-04-04T09:00", "2026-04-05T09:00", 24.5),
        ("Asia/Kolkata", "2026-03-28T09:00", "2026-03-29T09:00", 24),
    ],
)
def test_a_daily_turn_changes_hands_at_the_same_hour_on_both_sides_of_a_change_of_time(
    zone: str, before: str, after: str, hours: float
) -> None:
    rotation = layer(zone, "2026-01-05T09:00", DAY, "ann", "bob", "cy")

    (shift, *_) = [
        one
        for one in layer_shifts(rotation, zone, Span(at(before, zone) - 5 * DAY, at(after, zone) + 5 * DAY))
        if one.start == at(before, zone)
    ]

    assert shift.end == at(after, zone)
    assert shift.end - shift.start == hours * HOUR


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
def test_a_year_of_weeks_is_covered_without_gap_or_overlap_and_in_order(zone: str) -> None:
    rotation = layer(zone, "2026-01-05T09:00", 7 * DAY, "ann", "bob", "cy")
    year = span("2026-01-05T09:00", "2027-01-04T09:00", zone)

    shifts = layer_shifts(rotation, zone, year)

    assert [one.user for one in shifts] == ["ann", "bob", "cy"] * 17 + ["ann"]
    assert all(earlier.end == later.start for earlier, later in pairwise(shifts))
    assert {datetime.fromtimestamp(one.start, ZoneInfo(zone)).strftime("%a %H:%M") for one in shifts} == {"Mon 09:00"}
    assert coverage(shifts, year) == 100.0


def test_the_virtual_start_decides_whose_turn_it_is_and_the_start_when_the_layer_begins() -> None:
    zone = "Europe/Berlin"
    rotation = layer(zone, "2026-01-05T09:00", 7 * DAY, "ann", "bob") | {"start": "2026-01-14T12:00:00+01:00"}

    shifts = layer_shifts(rotation, zone, span("2026-01-01T00:00", "2026-01-26T09:00", zone))

    assert told(shifts, zone) == [("bob", "01-14 12:00", "01-19 09:00"), ("ann", "01-19 09:00", "01-26 09:00")]


def test_a_layer_ends_when_it_is_said_to() -> None:
    zone = "Etc/UTC"
    rotation = layer(zone, "2026-01-05T09:00", DAY, "ann", "bob", end="2026-01-06T15:00:00Z")

    shifts = layer_shifts(rotation, zone, span("2026-01-01T00:00", "2026-02-01T00:00", zone))

    assert told(shifts, zone) == [("ann", "01-05 09:00", "01-06 09:00"), ("bob", "01-06 09:00", "01-06 15:00")]


def test_a_daily_restriction_leaves_the_rest_of_the_day_to_nobody() -> None:
    zone = "Europe/Berlin"
    office = {"type": "daily_restriction", "start_time_of_day": "09:00:00", "duration_seconds": 8 * HOUR}
    rotation = layer(zone, "2026-03-23T00:00", 7 * DAY, "ann", "bob", restrictions=[office])

    shifts = layer_shifts(rotation, zone, span("2026-03-28T00:00", "2026-03-31T00:00", zone))

    assert told(shifts, zone) == [
        ("ann", "03-28 09:00", "03-28 17:00"),
        ("ann", "03-29 09:00", "03-29 17:00"),
        ("bob", "03-30 09:00", "03-30 17:00"),
    ]


def test_a_night_that_began_before_the_span_is_in_it() -> None:
    zone = "America/New_York"
    night = {"type": "daily_restriction", "start_time_of_day": "17:00:00", "duration_seconds": 16 * HOUR}
    rotation = layer(zone, "2026-01-01T00:00", 365 * DAY, "ann", restrictions=[night])

    shifts = layer_shifts(rotation, zone, span("2026-10-31T00:00", "2026-11-02T00:00", zone))

    assert told(shifts, zone) == [
        ("ann", "10-31 00:00", "10-31 09:00"),
        ("ann", "10-31 17:00", "11-01 09:00"),
        ("ann", "11-01 17:00", "11-02 00:00"),
    ]
    assert shifts[1].end - shifts[1].start == 17 * HOUR


def test_a_weekly_restriction_may_last_for_days() -> None:
    zone = "Europe/Berlin"
    weekend = {
        "type": "weekly_restriction",
        "start_day_of_week": 5,
        "start_time_of_day": "17:00:00",
        "duration_seconds": 64 * HOUR,
    }
    rotation = layer(zone, "2026-01-05T00:00", 7 * DAY, "ann", "bob", restrictions=[weekend])

    shifts = layer_shifts(rotation, zone, span("2026-01-11T00:00", "2026-01-20T00:00", zone))

    assert told(shifts, zone) == [
        ("ann", "01-11 00:00", "01-12 00:00"),
        ("bob", "01-12 00:00", "01-12 09:00"),
        ("bob", "01-16 17:00", "01-19 00:00"),
        ("ann", "01-19 00:00", "01-19 09:00"),
    ]


def test_a_later_layer_goes_before_an_earlier_one_and_an_override_before_both() -> None:
    zone = "Etc/UTC"
    base = layer(zone, "2026-01-01T00:00", 365 * DAY, "ann")
    night = {"type": "daily_restriction", "start_time_of_day": "20:00:00", "duration_seconds": 4 * HOUR}
    above = layer(zone, "2026-01-01T00:00", 365 * DAY, "bob", restrictions=[night])
    stand_in = override("cy", "2026-01-02T18:00", "2026-01-02T22:00", zone)

    shifts = schedule_shifts(
        schedule(zone, base, above, overrides=(stand_in,)), span("2026-01-02T00:00", "2026-01-03T12:00", zone)
    )

    assert told(shifts, zone) == [
        ("ann", "01-02 00:00", "01-02 18:00"),
        ("cy", "01-02 18:00", "01-02 22:00"),
        ("bob", "01-02 22:00", "01-03 00:00"),
        ("ann", "01-03 00:00", "01-03 12:00"),
    ]


def test_of_two_overrides_the_later_made_decides() -> None:
    zone = "Etc/UTC"
    first = override("bob", "2026-01-02T00:00", "2026-01-02T12:00", zone)
    second = override("cy", "2026-01-02T06:00", "2026-01-02T08:00", zone)
    both = schedule(zone, layer(zone, "2026-01-01T00:00", DAY, "ann"), overrides=(first, second))

    shifts = schedule_shifts(both, span("2026-01-02T00:00", "2026-01-02T12:00", zone))

    assert [one.user for one in shifts] == ["bob", "cy", "bob"]


def test_twelve_hour_turns_stay_at_their_hours_through_a_change_of_time() -> None:
    zone = "America/New_York"
    rotation = layer(zone, "2026-03-01T08:00", 12 * HOUR, "ann", "bob")

    shifts = layer_shifts(rotation, zone, span("2026-03-07T08:00", "2026-03-09T08:00", zone))

    assert told(shifts, zone) == [
        ("ann", "03-07 08:00", "03-07 20:00"),
        ("bob", "03-07 20:00", "03-08 08:00"),
        ("ann", "03-08 08:00", "03-08 20:00"),
        ("bob", "03-08 20:00", "03-09 08:00"),
    ]


def test_hourly_turns_leave_no_gap_where_an_hour_is_skipped_or_doubled() -> None:
    zone = "Europe/Berlin"
    rotation = layer(zone, "2026-01-01T00:00", HOUR, "ann", "bob", "cy")
    for since, until in (("2026-03-28T22:00", "2026-03-29T06:00"), ("2026-10-24T22:00", "2026-10-25T06:00")):
        night = span(since, until, zone)

        shifts = layer_shifts(rotation, zone, night)

        assert coverage(shifts, night) == 100.0
        assert all(earlier.end == later.start for earlier, later in pairwise(shifts))
