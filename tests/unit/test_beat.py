"""Each scheduled message names the run it stands for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from celery.schedules import crontab

from config.settings import load
from schedules.beat import ENTRIES, last_due, slot
from workers.app import make_app


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
    first = slot("backup", last_due("0 3 * * *", at("2026-11-22T03:00:01")))
    late = slot("backup", last_due("0 3 * * *", at("2026-11-22T03:17:40")))

    assert first == late == "backup@2026-11-22T03:00Z"


def test_every_entry_has_a_crontab_celery_understands() -> None:
    for entry in ENTRIES.values():
        assert crontab.from_string(entry.cron)


def test_the_last_part_of_a_crontab_is_the_day_of_the_week_for_beat_too() -> None:
    app = make_app(load(environ={}))
    weekly = next(name for name, entry in ENTRIES.items() if entry.cron.endswith(" 0"))

    assert app.conf.beat_schedule[weekly]["schedule"].day_of_week == {0}


def test_the_promise_is_proved_every_ten_minutes_over_the_last_hour_and_daily_as_a_whole() -> None:
    proofs = {entry.cron: dict(entry.arguments) for entry in ENTRIES.values() if entry.task == "audit.prove"}

    assert proofs == {"*/10 * * * *": {"since_seconds": 3600, "keep": "hour"}, "25 4 * * *": {"keep": "whole"}}
