"""The sentinel: looks after Tocsin itself, over and over. Any number may run."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

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
    watch = Runtime(settings).own_alerts
    watch.look(expected_slots)
    log.info("sentinel_ready")
    while not stopping.wait(settings.own_alerts.every.total_seconds()):
        watch.look(expected_slots)
    watch.close()


def expected_slots(now: datetime) -> Mapping[str, Sequence[str]]:
    """For each scheduled entry its slots from two minutes ago on: somebody must have claimed one of them."""
    return {
        name: sorted({slot(name, last_due(entry.cron, moment)) for moment in (now - SLACK, now - SLACK / 2, now)})
        for name, entry in ENTRIES.items()
    }
