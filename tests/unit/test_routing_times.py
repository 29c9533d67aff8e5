"""When a stretch of the week is open, by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.routing import Window
from tasks.alerts.times import Times

BERLIN = "Europe/Berlin"


def is_open(moment: datetime, zone: str = "UTC", **window: Any) -> bool:
    return Times([Window.model_validate(window)], zone).open_at(moment) is not None


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "expected"), [("08:59", False), ("09:00", True), ("16:59", True), ("17:00", False), ("00:00", False)]
)
def test_a_window_begins_with_its_first_minute_and_ends_before_its_last(time: str, *, expected: bool) -> None:
    assert is_open(utc(f"2026-11-23 {time}"), **{"from": "09:00", "to": "17:00"}) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20 21:59", False),  # a Friday
        ("2026-11-20 22:00", True),
        ("2026-11-21 00:00", True),
        ("2026-11-21 05:59", True),
        ("2026-11-21 06:00", False),
        ("2026-11-21 23:00", False),  # Saturday's own night is not among its days
        ("2026-11-20 05:00", False),  # Thursday's night
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_it_begins_on(moment: str, *, expected: bool) -> None:
    assert is_open(utc(moment), days=["fri"], **{"from": "22:00", "to": "06:00"}) is expected


def test_the_night_of_a_sunday_ends_on_monday() -> None:
    assert is_open(utc("2026-11-23 03:00"), days=["sun"], **{"from": "22:00", "to": "06:00"})


def test_a_window_may_end_at_midnight_said_either_way() -> None:
    for end in ("24:00", "00:00"):
        assert is_open(utc("2026-11-23 23:59"), **{"from": "18:00", "to": end})
        assert not is_open(utc("2026-11-24 00:00"), **{"from": "18:00", "to": end})


def test_days_alone_mean_whole_days() -> None:
    assert is_open(utc("2026-11-21 00:00"), days=["sat", "sun"])
    assert is_open(utc("2026-11-22 23:59"), days=["sat", "sun"])
    assert not is_open(utc("2026-11-23 00:00"), days=["sat", "sun"])


def test_one_open_window_of_several_is_enough_and_is_named() -> None:
    windows = [Window.model_validate({"days": ["sat"]}), Window.model_validate({"from": "20:00", "to": "08:00"})]

    assert Times(windows, BERLIN).open_at(utc("2026-11-23 20:00")) == "every day 20:00-08:00 Europe/Berlin"


def test_the_day_is_that_of_the_zone() -> None:
    late_on_sunday = utc("2026-11-22 23:30")

    assert is_open(late_on_sunday, BERLIN, days=["mon"])
    assert is_open(late_on_sunday, "America/New_York", days=["sun"])


def test_the_moment_may_be_given_in_any_zone() -> None:
    moment = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Kolkata"))  # 03:30 UTC

    assert is_open(moment, "UTC", **{"from": "03:30", "to": "03:31"})


def minutes_open(start: str, hours: int, **window: Any) -> int:
    first = utc(start)
    times = Times([Window.model_validate(window)], BERLIN)
    return sum(times.open_at(first + timedelta(minutes=minute)) is not None for minute in range(hours * 60))


def test_an_hour_that_is_skipped_in_spring_never_comes() -> None:
    assert minutes_open("2026-03-28 12:00", 24, **{"from": "02:00", "to": "03:00"}) == 0
    assert minutes_open("2026-03-28 12:00", 24, **{"from": "22:00", "to": "06:00"}) == 7 * 60


def test_an_hour_that_comes_twice_in_autumn_counts_twice() -> None:
    assert minutes_open("2026-10-24 12:00", 24, **{"from": "02:00", "to": "03:00"}) == 2 * 60
    assert minutes_open("2026-10-24 12:00", 24, **{"from": "22:00", "to": "06:00"}) == 9 * 60


def test_without_the_time_nothing_is_guessed() -> None:
    times = Times([Window.model_validate({"days": ["sat"]})], "UTC")

    with pytest.raises(ValueError, match="give the time"):
        times.open_at(None)
