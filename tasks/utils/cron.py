"""Moments of a crontab expression, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from cronsim import CronSim

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_COUNTED: Final = 10_000


def last_due(cron: str, now: datetime) -> datetime:
    """The moment at or before `now` at which `cron` was last due."""
    return next(_backwards(cron, now))


def due_before(cron: str, due: datetime) -> datetime:
    """The due moment before that one."""
    return next(_backwards(cron, due - timedelta(minutes=1)))


def next_due(cron: str, now: datetime) -> datetime:
    """The first due moment after `now`."""
    return next(CronSim(cron, now.astimezone(UTC).replace(tzinfo=None))).replace(tzinfo=UTC)


def dues_between(cron: str, after: datetime, before: datetime) -> int:
    """How many due moments lie between the two, neither of them counted; of very many, no more than ten thousand."""
    found = islice(CronSim(cron, after.astimezone(UTC).replace(tzinfo=None)), MOST_COUNTED)
    return sum(1 for _ in _until(found, before.astimezone(UTC).replace(tzinfo=None)))


def in_words(cron: str) -> str:
    """When that is, in English."""
    return str(CronSim(cron, datetime(2000, 1, 1)).explain())  # noqa: DTZ001 - the zone is said by whoever prints it


def _backwards(cron: str, now: datetime) -> Iterator[datetime]:
    after = now.astimezone(UTC).replace(tzinfo=None, second=0, microsecond=0) + timedelta(minutes=1)
    return (due.replace(tzinfo=UTC) for due in CronSim(cron, after, reverse=True))


def _until(dues: Iterator[datetime], end: datetime) -> Iterator[datetime]:
    for due in dues:
        if due >= end:
            return
        yield due
