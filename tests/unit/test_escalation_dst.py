"""The bar: weeks in which clocks change, in three zones, both ways; every step at the wall time that was promised."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tasks.escalations.calendar import Span
from tasks.escalations.policy import Hours, Policy, due_after, step
from tests.unit.escalation_kit import MINUTE, a_step, hours, utc

NINE, FIVE = 9 * 60, 17 * 60
CHANGES = [
    ("Europe/Paris", "2026-03-29", timedelta(hours=1)),
    ("Europe/Paris", "2026-10-25", timedelta(hours=-1)),
    ("America/New_York", "2026-03-08", timedelta(hours=1)),
    ("America/New_York", "2026-11-01", timedelta(hours=-1)),
    ("Australia/Lord_Howe", "2026-10-04", timedelta(minutes=30)),
    ("Australia/Lord_Howe", "2026-04-05", timedelta(minutes=-30)),
]


def in_the_morning(zone: str) -> Policy:
    """At 09:00 by the wall, every day; then a quarter of an hour later."""
    opening = Hours(hours(zone, Span((), NINE, FIVE)), inside=True, waits=True)
    return Policy("p", (a_step("at-nine", at=opening), a_step("quarter", 15)))


def evenings(zone: str, sunday: str) -> Iterator[tuple[datetime, datetime]]:
    """Every half hour after closing time of the days around a change, and 09:00 of the morning that follows, both in UTC."""
    change = datetime.fromisoformat(sunday)
    for day in range(-3, 4):
        morning = (change + timedelta(days=day + 1, hours=9)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        closing = (change + timedelta(days=day, hours=17)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        while closing < morning:
            yield closing, morning
            closing += 30 * MINUTE


@pytest.mark.parametrize(("zone", "sunday", "shift"), CHANGES)
def test_what_waits_for_the_morning_comes_at_nine_by_the_wall(zone: str, sunday: str, shift: timedelta) -> None:
    policy = in_the_morning(zone)
    begun = list(evenings(zone, sunday))

    for at, morning in begun:
        first = due_after(policy, 0, at)
        assert first == morning
        wall = first.astimezone(ZoneInfo(zone))
        assert (wall.hour, wall.minute) == (9, 0)
        assert due_after(policy, 1, first) == first + 15 * MINUTE

    nights = sorted({morning for _, morning in begun})
    lengths = {after - before for before, after in pairwise(nights)}
    assert lengths == {timedelta(days=1), timedelta(days=1) - shift}, "the clocks did change in this week"


@pytest.mark.parametrize(("zone", "sunday", "_shift"), CHANGES)
def test_a_delay_is_time_that_passes_whatever_the_wall_shows(zone: str, sunday: str, _shift: timedelta) -> None:
    policy = Policy("p", (a_step("a", 45), a_step("b", 15)), repeats=3, repeat_after=30 * MINUTE)
    night = datetime.fromisoformat(sunday).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)

    for quarter in range(24):
        at = begun = night + quarter * 15 * MINUTE
        for taken in range(policy.length):
            at = due_after(policy, taken, at) or at
        assert at - begun == (45 + 15 + 3 * (30 + 15)) * MINUTE


@pytest.mark.parametrize(
    ("zone", "begun", "nine"),
    [  # by hand, from the tables of the zones
        ("Europe/Paris", "2026-03-27T20:00", "2026-03-28T08:00"),
        ("Europe/Paris", "2026-03-28T20:00", "2026-03-29T07:00"),
        ("Europe/Paris", "2026-10-24T20:00", "2026-10-25T08:00"),
        ("America/New_York", "2026-03-08T00:00", "2026-03-08T13:00"),
        ("America/New_York", "2026-11-01T00:00", "2026-11-01T14:00"),
        ("Australia/Lord_Howe", "2026-10-03T12:00", "2026-10-03T22:00"),
        ("Australia/Lord_Howe", "2026-04-04T12:00", "2026-04-04T22:30"),
    ],
)
def test_nine_by_the_wall_is_this_in_utc(zone: str, begun: str, nine: str) -> None:
    assert due_after(in_the_morning(zone), 0, utc(begun)) == utc(nine)


def test_three_zones_in_one_policy_each_keep_their_own_wall() -> None:
    zones = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe")
    steps = [
        a_step(zone, at=Hours(hours(zone, Span((), NINE, FIVE), name=zone), inside=True, waits=True)) for zone in zones
    ]
    policy = Policy("p", tuple(steps), repeats=6, repeat_after=24 * 60 * MINUTE)

    for sunday in ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"):
        at = utc(f"{sunday}T00:00") - timedelta(days=3)
        for taken in range(policy.length):
            due, following = due_after(policy, taken, at), step(policy, taken)
            assert due is not None
            assert following is not None
            wall = due.astimezone(ZoneInfo(following.name))
            assert due == at + (24 * 60 * MINUTE if taken and taken % 3 == 0 else timedelta()) or (
                wall.hour,
                wall.minute,
            ) == (9, 0)
            assert 9 <= wall.hour < 17
            at = due
