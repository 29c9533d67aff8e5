"""What the sentinel expects to have run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schedules.beat import ENTRIES
from workers.sentinel import Schedule

NOON = datetime(2026, 11, 26, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_what_was_due_before_the_sentinel_began_is_not_expected() -> None:
    schedule = Schedule(ENTRIES)

    assert set(schedule.expected(NOON).values()) == {None}
    assert set(schedule.expected(NOON + 2 * MINUTE).values()) == {None}


def test_a_run_is_expected_two_minutes_after_it_was_due_and_a_later_one_will_do() -> None:
    schedule = Schedule(ENTRIES)
    schedule.expected(NOON)

    expected = schedule.expected(NOON + 3 * MINUTE)

    assert expected["outbox-sweep"] == datetime(2026, 11, 26, 12, 1, tzinfo=UTC)
    assert expected["ledger-proof-whole"] is None  # due at night


def test_a_daily_run_is_expected_for_the_rest_of_the_day() -> None:
    schedule = Schedule(ENTRIES)
    schedule.expected(NOON)

    assert schedule.expected(NOON + timedelta(hours=20))["ledger-proof-whole"] == datetime(
        2026, 11, 27, 4, 25, tzinfo=UTC
    )
