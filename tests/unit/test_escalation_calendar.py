"""When business hours are open: by the clock on the wall, on days that are no holidays."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.escalations.calendar import Calendar, Holiday, Span
from tests.searching import searched
from tests.unit.escalation_kit import MINUTE, calendars, hours, moments, utc

EVERY_DAY = ()


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-26T07:59", False),  # Thursday 08:59 in Paris
        ("2026-11-26T08:00", True),
        ("2026-11-26T16:59:59", True),
        ("2026-11-26T17:00", False),
        ("2026-11-28T10:00", False),  # Saturday
        ("2026-07-14T10:00", False),  # a Tuesday, every year a holiday
        ("2026-04-06T10:00", False),  # a Monday, this year a holiday
        ("2027-04-05T10:00", True),
        ("2026-07-15T07:00", True),  # 09:00 in summer
    ],
)
def test_hours_are_those_of_the_wall(*, at: str, is_open: bool) -> None:
    paris = hours("Europe/Paris", holidays=(Holiday("07-14", "Bastille Day"), Holiday("2026-04-06", "Easter Monday")))

    assert paris.is_open(utc(at)) is is_open


def test_a_night_belongs_to_the_day_it_begins_on_also_where_the_next_one_is_a_holiday() -> None:
    nights = hours("UTC", Span(EVERY_DAY, 22 * 60, 6 * 60), holidays=(Holiday("12-25", "Christmas Day"),))

    assert nights.is_open(utc("2026-12-25T05:59"))
    assert not nights.is_open(utc("2026-12-25T23:00"))
    assert not nights.is_open(utc("2026-12-26T05:59"))
    assert nights.next_when(utc("2026-12-25T07:00"), is_open=True) == utc("2026-12-26T22:00")


def test_the_holidays_of_a_zone_begin_at_its_own_midnight() -> None:
    all_day = hours("Australia/Sydney", Span(EVERY_DAY, 0, 24 * 60), holidays=(Holiday("2026-01-26", "Australia Day"),))

    assert all_day.next_when(utc("2026-01-25T12:00"), is_open=False) == utc("2026-01-25T13:00")
    assert all_day.next_when(utc("2026-01-25T13:00"), is_open=True) == utc("2026-01-26T13:00")


@pytest.mark.parametrize(
    ("zone", "start", "end", "at", "opens"),
    [
        ("Europe/Paris", "02:30", "04:00", "2026-03-29T00:00", "2026-03-29T01:00"),  # 02:30 is skipped: 03:00 it is
        ("Europe/Paris", "02:00", "03:00", "2026-03-29T00:00", "2026-03-30T00:00"),  # skipped as a whole
        ("Europe/Paris", "02:15", "02:45", "2026-10-25T00:00", "2026-10-25T00:15"),  # comes twice: first by summer time
        ("Europe/Paris", "02:15", "02:45", "2026-10-25T00:50", "2026-10-25T01:15"),  # then by winter time
        ("Europe/Paris", "01:30", "02:30", "2026-10-25T00:45", "2026-10-25T01:00"),  # set back into it: open again
        ("Australia/Lord_Howe", "02:10", "05:00", "2026-10-03T15:00", "2026-10-03T15:30"),  # half an hour is skipped
        ("Australia/Lord_Howe", "01:40", "01:50", "2026-04-04T14:55", "2026-04-04T15:10"),  # half an hour comes twice
        ("America/New_York", "02:30", "04:00", "2026-03-08T06:00", "2026-03-08T07:00"),
        ("America/New_York", "01:30", "01:45", "2026-11-01T05:50", "2026-11-01T06:30"),
    ],
)
def test_where_clocks_change_what_the_wall_shows_counts(zone: str, start: str, end: str, at: str, opens: str) -> None:
    first, last = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))

    assert hours(zone, Span(EVERY_DAY, first, last)).next_when(utc(at), is_open=True) == utc(opens)


def test_hours_that_never_come_are_not_waited_for() -> None:
    never = hours(
        "UTC", holidays=tuple(Holiday(f"{utc('2024-01-01') + timedelta(days=day):%m-%d}", "off") for day in range(366))
    )

    assert never.next_when(utc("2026-11-26T00:00"), is_open=True) is None


def test_people_are_told_why_hours_are_closed() -> None:
    paris = hours("Europe/Paris", holidays=(Holiday("12-25", "Christmas Day"),))

    assert paris.why(utc("2026-12-25T10:00")) == "office closed (Fri 11:00, Christmas Day)"
    assert paris.why(utc("2026-12-24T10:00")) == "office open (Thu 11:00)"


@searched(50)
@given(calendar=calendars, at=moments, is_open=st.booleans())
def test_the_next_moment_is_the_one_that_a_patient_watcher_would_see(
    *, calendar: Calendar, at: datetime, is_open: bool
) -> None:
    minutes = (at + number * MINUTE for number in range(3 * 24 * 60))

    watched = next((minute for minute in minutes if calendar.is_open(minute) is is_open), None)

    found = calendar.next_when(at, is_open=is_open)
    assert found == watched if watched else found is None or found >= at + timedelta(days=3)


@searched(40)
@given(calendar=calendars, asked=st.lists(moments, min_size=2, max_size=8), is_open=st.booleans())
def test_what_was_asked_before_changes_no_answer(*, calendar: Calendar, asked: list[datetime], is_open: bool) -> None:
    fresh = [Calendar.thawed(calendar.name, calendar.plain()).next_when(at, is_open=is_open) for at in asked]

    assert [calendar.next_when(at, is_open=is_open) for at in asked] == fresh
