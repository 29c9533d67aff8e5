"""Which backups stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

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


MOMENTS = st.integers(0, 392 * 86_400).map(
    lambda seconds: datetime(2019, 12, 20, tzinfo=UTC) + timedelta(seconds=seconds)
)


def oracle(times: list[datetime], many: int, span: str) -> set[datetime]:
    """By hand: the spans that have a backup, the newest `many` of them, and in each the newest."""
    starts: dict[datetime, datetime] = {}
    for at in times:
        day = at.replace(hour=0, minute=0, second=0, microsecond=0)
        start = {
            "hourly": at.replace(minute=0, second=0, microsecond=0),
            "daily": day,
            "weekly": day - timedelta(days=day.weekday()),
            "monthly": day.replace(day=1),
        }[span]
        starts[start] = max(at, starts.get(start, at))
    return {starts[start] for start in sorted(starts, reverse=True)[:many]}


@given(
    times=st.lists(MOMENTS, unique=True, max_size=40),
    zone=st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
    many=st.integers(0, 5),
    span=st.sampled_from(["hourly", "daily", "weekly", "monthly"]),
)
def test_in_each_span_the_newest_stays_whatever_zone_the_times_are_written_in(
    times: list[datetime], zone: str, many: int, span: str
) -> None:
    snapshots = [
        replace(snapshot(at), id=at.isoformat(), created=at.astimezone(ZoneInfo(zone))) for at in sorted(times)
    ]

    stay = kept(snapshots, Keep(**{span: many}))

    assert set(stay) == {at.isoformat() for at in oracle(times, many, span)}
