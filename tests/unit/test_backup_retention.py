"""Which backups stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tasks.backups.manifests import Snapshot
from tasks.backups.retention import Keep, kept

NEWEST = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)


def snapshot(at: datetime) -> Snapshot:
    told = {"is_encrypted": False, "key_id": "", "environment": "", "host": "", "version": ""}
    return Snapshot(id=f"{at:%m-%d %H}", created=at, parts={}, added=0, took_seconds=0.0, **told)


def hourly(count: int) -> list[Snapshot]:
    times = [NEWEST - timedelta(hours=hours) for hours in reversed(range(count))]
    return [snapshot(at) for at in times]


def test_the_newest_stay() -> None:
    assert set(kept(hourly(5), Keep(last=2))) == {"11-30 12", "11-30 11"}


def test_of_each_day_the_newest_stays() -> None:
    assert set(kept(hourly(72), Keep(daily=3))) == {"11-30 12", "11-29 23", "11-28 23"}


def test_weeks_begin_on_monday_and_months_on_their_first() -> None:
    snapshots = hourly(24 * 40)

    assert set(kept(snapshots, Keep(weekly=2))) == {"11-30 12", "11-29 23"}
    assert set(kept(snapshots, Keep(monthly=2))) == {"11-30 12", "10-31 23"}


def test_days_without_a_backup_do_not_count() -> None:
    snapshots = [*hourly(24 * 10)[:3], *hourly(2)]

    assert len(kept(snapshots, Keep(daily=2))) == 2


def test_rules_add_up_and_say_why_each_one_stays() -> None:
    reasons = kept(hourly(30), Keep(last=1, hourly=2, daily=2))

    assert reasons == {"11-30 12": ["last", "hourly", "daily"], "11-30 11": ["hourly"], "11-29 23": ["daily"]}
