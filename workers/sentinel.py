"""The sentinel: looks after Tocsin itself, over and over. Any number may run."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import redis
import structlog

from schedules.beat import ENTRIES, last_due, slot
from tasks.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from config.models import Settings

log = structlog.get_logger("tocsin.sentinel")  # `tocsin up` waits for these events

SLACK: Final = timedelta(minutes=2)  # what was due before must have been claimed by now


def run(settings: Settings) -> None:
    """Look until SIGTERM or Ctrl-C."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    runtime = Runtime(settings)
    watch, schedule = runtime.own_alerts, Schedule()
    look(runtime, schedule)
    log.info("sentinel_ready")
    while not stopping.wait(settings.own_alerts.every.total_seconds()):
        look(runtime, schedule)
    watch.close()


def look(runtime: Runtime, schedule: Schedule) -> None:
    """Look once, first of all whether Redis lost everything: no worker need be up to notice."""
    with suppress(redis.RedisError):  # said below
        runtime.epochs.ask()
    runtime.own_alerts.look(schedule.expected)


class Schedule:
    """What must have run by now. Of what was due before the first question nothing is expected: perhaps nobody was up then."""

    def __init__(self) -> None:
        self._began: datetime | None = None

    def expected(self, now: datetime) -> Mapping[str, Sequence[str]]:
        """For each entry that was due two minutes ago, its slots from then on: somebody must have claimed one of them."""
        began = self._began = self._began or now
        moments = (now - SLACK, now - SLACK / 2, now)
        dues = {name: [last_due(entry.cron, moment) for moment in moments] for name, entry in ENTRIES.items()}
        return {
            name: sorted({slot(name, due) for due in due_at}) for name, due_at in dues.items() if due_at[0] >= began
        }
