"""The sentinel: looks after Tocsin itself, over and over. Any number may run."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

import redis
import structlog

from schedules.entries import entries_of
from schedules.missed import MissedRuns
from tasks.runtime import Runtime
from tasks.utils.cron import last_due
from workers.heart import PATIENCE, Heart
from workers.scheduled_calls import call_of, send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from config.models import Settings
    from schedules.beat import Entry
    from workers.app import Tocsin

log = structlog.get_logger("tocsin.sentinel")  # `tocsin up` waits for these events

LONGEST_LOOK: Final = 15.0  # seconds, while nothing answers
SLACK: Final = timedelta(minutes=2)  # what was due before must have been claimed by now


def run(settings: Settings) -> None:
    """Look until SIGTERM or Ctrl-C."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    watch, every = Watch(settings), settings.own_alerts.every.total_seconds()
    patience = every + LONGEST_LOOK + PATIENCE
    with Heart(settings, "sentinel", patience=patience, knows=watch.known_keys) as heart:
        watch.look()
        log.info("sentinel_ready")
        while not stopping.wait(every):
            heart.tick()
            watch.look()
    watch.close()


class Schedule:
    """What must have run by now. Of what was due before the first question nothing is expected: perhaps nobody was up then."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = {name: entry for name, entry in entries.items() if entry.enabled}
        self._began: datetime | None = None

    def expected(self, now: datetime) -> Mapping[str, datetime | None]:
        """For each entry that was due two minutes ago, that moment: its run, or a later one, must have been claimed; else None."""
        began = self._began = self._began or now
        dues = {name: last_due(entry.cron, now - SLACK) for name, entry in self._entries.items()}
        return {name: due if due >= began else None for name, due in dues.items()}


class Watch:
    """One sentinel's look at everything."""

    def __init__(self, settings: Settings) -> None:
        self._runtime = Runtime(settings)
        self._entries = entries_of(settings.schedules)
        self._schedule = Schedule(self._entries)
        self._missed = MissedRuns(self._runtime.slots, self._entries, self._call)
        self._settings = settings

    def look(self) -> None:
        """Look once, first of all whether Redis lost everything: no worker need be up to notice."""
        with suppress(redis.RedisError):  # said below
            self._runtime.renew()
            self._runtime.epochs.ask()
            self._missed.look()
        self._runtime.own_alerts.look(self._schedule.expected)

    def known_keys(self) -> Sequence[str]:
        """The ids of the encryption keys it knows."""
        return self._runtime.known_keys()

    def close(self) -> None:
        """Let go of channels."""
        self._runtime.own_alerts.close()

    @cached_property
    def _app(self) -> Tocsin:
        from workers.app import make_app  # noqa: PLC0415 (a sentinel that has nothing to call for does without Celery)

        app = make_app(self._settings)
        app.loader.import_default_modules()  # which of them need a grant, the tasks themselves say
        return app

    def _call(self, name: str, entry: Entry) -> None:
        from kombu.exceptions import OperationalError  # noqa: PLC0415

        try:
            send(self._app, entry, call_of(name, entry, self._runtime.clock.now()))
        except OperationalError as error:
            log.warning("scheduled_run_not_called_for", entry=name, error=type(error).__name__)
