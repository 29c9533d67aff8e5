"""Each scheduled message names the run it stands for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schedules.beat import ENTRIES, Entry
from tasks.utils.cron import dues_between, in_words, last_due
from tasks.utils.slots import Call
from workers.beat import Cron
from workers.scheduled_calls import call_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "now", "due"),
    [
        ("* * * * *", "2026-11-22T10:05:30", "2026-11-22T10:05"),
        ("* * * * *", "2026-11-22T10:05:00", "2026-11-22T10:05"),
        ("30 3 * * *", "2026-11-22T10:05:30", "2026-11-22T03:30"),
        ("30 3 * * *", "2026-11-22T03:29:59", "2026-11-21T03:30"),
        ("0 0 1 1 *", "2026-11-22T10:05:30", "2026-01-01T00:00"),
    ],
)
def test_the_last_due_moment_is_the_one_at_or_before_now(cron: str, now: str, due: str) -> None:
    assert last_due(cron, at(now)) == at(due)


def test_two_beats_that_fire_minutes_apart_for_the_same_run_name_the_same_slot() -> None:
    entry = Entry("backups.create", "0 3 * * *")
    first = call_of("backup", entry, at("2026-11-22T03:00:01"))
    late = call_of("backup", entry, at("2026-11-22T03:17:40"))

    assert first == late
    told = {"tocsin_slot": "backup@2026-11-22T03:00Z", "tocsin_cron": "0 3 * * *", "tocsin_window": 3600.0}
    assert first.headers == told
    assert Call.read(told) == first
    assert Call.read({}) is None


def test_an_entry_is_due_once_its_next_moment_after_the_last_run_has_come() -> None:
    now = at("2026-11-22T03:17:40")
    cron = Cron("*/5 * * * *", lambda: now)

    assert cron.is_due(at("2026-11-22T03:15:00")) == (False, 140.0)
    assert cron.is_due(at("2026-11-22T03:14:59")) == (True, 140.0)
    assert cron.is_due(at("2026-11-22T01:00:00")) == (True, 140.0)


def test_every_entry_says_when_it_runs_in_words() -> None:
    for entry in ENTRIES.values():
        assert in_words(entry.cron)


def test_the_promise_is_proved_every_ten_minutes_over_the_last_hour_and_daily_as_a_whole() -> None:
    proofs = {entry.cron: dict(entry.arguments) for entry in ENTRIES.values() if entry.task == "audit.prove"}

    assert proofs == {"*/10 * * * *": {"since_seconds": 3600, "keep": "hour"}, "25 4 * * *": {"keep": "whole"}}


@pytest.mark.parametrize(
    ("after", "before", "count"),
    [("10:00", "10:01", 0), ("10:00", "10:03", 2), ("10:00:30", "10:02", 1), ("10:03", "10:00", 0)],
)
def test_left_out_runs_are_those_between_two_moments(after: str, before: str, count: int) -> None:
    assert dues_between("* * * * *", at(f"2026-11-22T{after}"), at(f"2026-11-22T{before}")) == count
