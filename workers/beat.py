"""Celery's beat by the fleet's clock: each message names the run it stands for, and what nobody ran is called for again."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import redis
import structlog
from celery.beat import Scheduler
from celery.schedules import BaseSchedule, schedstate

from schedules.entries import entries_of
from schedules.missed import MissedRuns
from tasks.utils.cron import next_due
from workers.heart import Heart
from workers.scheduled_calls import EXPIRES, call_of, said, send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from schedules.beat import Entry
    from tasks.utils.clock import Clock

log = structlog.get_logger("tocsin.beat")

LOOK_EVERY: Final = 5.0  # seconds
ASK_EVERY: Final = 1.0


class FleetTime:
    """The fleet's clock, asked once a second; while Redis is away this machine's, as far from it as it was last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta(0)
        self._asked = float("-inf")

    def now(self) -> datetime:
        """This moment, in UTC."""
        if time.monotonic() - self._asked >= ASK_EVERY:
            self._asked = time.monotonic()
            try:
                self._ahead = self._clock.now() - datetime.now(UTC)
            except redis.RedisError as error:
                log.warning("beat_by_own_clock", error=type(error).__name__)
        return datetime.now(UTC) + self._ahead


class Cron(BaseSchedule):
    """A crontab expression in UTC, understood as everywhere else in Tocsin."""

    def __init__(self, cron: str, now: Callable[[], datetime]) -> None:
        super().__init__(nowfun=now)
        self.cron = cron

    def remaining_estimate(self, last_run_at: datetime) -> timedelta:
        """How long until it is due."""
        now: datetime = self.now()
        return next_due(self.cron, last_run_at) - now

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether it is due, and in how many seconds to ask again."""
        left = self.remaining_estimate(last_run_at).total_seconds()
        if left > 0:
            return schedstate(is_due=False, next=left)
        return schedstate(is_due=True, next=self.remaining_estimate(self.now()).total_seconds())

    def __eq__(self, other: object) -> bool:
        """Whether it is due at the same moments."""
        return isinstance(other, Cron) and other.cron == self.cron

    def __hash__(self) -> int:
        """Equal ones have the same."""
        return hash(self.cron)


class SlotScheduler(Scheduler):
    """Sends what is due. It remembers nothing: what was claimed is known in Redis, and what nobody claimed is called for."""

    _entries: Mapping[str, Entry] = {}
    _heart: Heart | None = None

    def setup_schedule(self) -> None:
        """Take the entries that are on."""
        settings = self.app.settings
        self._time = FleetTime(self.app.runtime.clock)
        self._entries = {name: one for name, one in entries_of(settings.schedules).items() if one.enabled}
        self._missed = MissedRuns(self.app.runtime.slots, self._entries, self._call)
        self._looked = float("-inf")
        self.merge_inplace({name: self._celerys(entry) for name, entry in self._entries.items()})

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, and look every few seconds for what was missed; how long to sleep."""
        self._beat()
        if time.monotonic() - self._looked >= LOOK_EVERY:
            self._looked = time.monotonic()
            self._look()
        return float(super().tick(*args, **kwargs))

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Celery's signature
        """Send one entry's task, naming the run."""
        if entry.name in self._entries:
            ours = self._entries[entry.name]
            entry.options = {**entry.options, **said(self.app, ours, call_of(entry.name, ours, self._time.now()))}
        try:
            return super().apply_async(entry, producer=producer, advance=advance, **kwargs)
        except Exception as error:
            cause = error.__context__ or error  # Celery wraps the real one
            self.app.runtime.errors.record(cause, f"beat {entry.name}")
            raise

    def close(self) -> None:
        """Beat ends, and says so."""
        if self._heart is not None:
            self._heart.stop()
        super().close()

    def _beat(self) -> None:
        if self._heart is None:  # not before it works: a shell makes schedulers, too
            self._heart = Heart(self.app.settings, "beat", knows=self.app.runtime.known_keys)
            self._heart.start()
        self._heart.tick()

    def _look(self) -> None:
        try:
            self.app.runtime.epochs.ask()
            self._missed.look()
        except redis.RedisError as error:
            log.warning("beat_cannot_look", error=type(error).__name__)

    def _call(self, name: str, entry: Entry) -> None:
        send(self.app, entry, call_of(name, entry, self._time.now()))

    def _celerys(self, entry: Entry) -> dict[str, Any]:
        return {
            "task": entry.task,
            "schedule": Cron(entry.cron, self._time.now),
            "kwargs": dict(entry.arguments),
            "options": {"expires": EXPIRES},
        }
