"""The one door to the record of acts: who did what to which object from where, and what came of it.

An act goes into a stream in Redis, from there within a minute into a chained, signed archive (tasks/audit). While Redis is
away it waits on this machine's disk; whoever next reaches Redis takes it up, in order and once.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import redis

from tasks.utils.act_context import Underway, underway, within
from tasks.utils.actor import Actor
from tasks.utils.acts import BEGUN, Act, ActEntry, Outcome, entry_of, new_act_id
from tasks.utils.connect import is_away
from tasks.utils.error_handler import DeniedError, TransientError
from tasks.utils.local_actor import local_actor
from tasks.utils.scripts import Scripts
from tasks.utils.waiting_acts import WaitingActs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.utils.keys import Keys

__all__ = ["FOLDER", "Act", "Actor", "AuditLogger", "NotRecordedError", "Outcome"]

FOLDER: Final = "acts"  # within the state folder
STREAM: Final = "acts"
AWAY_SECONDS: Final = 5.0  # so long nobody waits once more for a server that has just not answered
KNOWN_MS: Final = 3_600_000  # so long an entry that comes once more is known
_PAGE: Final = 500
log = logging.getLogger("tocsin.acts")


class NotRecordedError(TransientError):
    """An act could not be put on record anywhere; then it is not done."""


class AuditLogger:
    """Writes acts down. Without arguments it finds Redis and the folder in the settings."""

    def __init__(self, client: Any = None, keys: Keys | None = None, folder: Path | None = None) -> None:
        if client is None or keys is None or folder is None:
            client, keys, folder = _configured()
        self._scripts = Scripts(client, keys.of(STREAM))
        self._waiting = WaitingActs(folder)
        self._away_until = 0.0

    def record(self, act: Act) -> str:
        """Write down an act that is over; returns its id. NotRecordedError if neither Redis nor the disk takes it."""
        act, actor = _completed(act)
        act_id = new_act_id(_now_ms())
        self._write(entry_of(act_id, act.outcome, act, actor))
        return act_id

    def begin(self, act: Act) -> Underway:
        """Write down that an act begins, so that a crash shows what was begun; `end` it. NotRecordedError: then do not act."""
        act, actor = _completed(act)
        act_id = new_act_id(_now_ms())
        begun = Underway(act_id, actor, act.correlation or act_id)
        begun.object, begun.detail = act.object, dict(act.detail)
        self._write(entry_of(act_id, BEGUN, replace(act, correlation=begun.correlation), actor))
        return begun

    def end(self, action: str, begun: Underway, outcome: Outcome) -> None:
        """Write down what came of it. It has happened by now: if nothing takes the entry, the log is left."""
        act = Act(action, begun.object, begun.actor, outcome, begun.correlation, begun.detail)
        entry = entry_of(begun.id, outcome, act, begun.actor)
        try:
            self._write(entry)
        except NotRecordedError as error:
            log.critical("what came of an act is on no record but this: %s; %s", entry, error)

    @contextmanager
    def during(self, act: Act) -> Iterator[Underway]:
        """Write down that the act begins and, when the block is left, what came of it: an error makes it failed, or denied."""
        begun = self.begin(act)
        outcome = act.outcome
        try:
            with within(begun):
                yield begun
        except BaseException as error:
            begun.detail.setdefault("error", type(error).__name__)
            outcome = "denied" if isinstance(error, DeniedError) else "failed"
            raise
        finally:
            self.end(act.action, begun, outcome)

    def take_up(self) -> int:
        """Put what waited on this machine's disk into Redis; returns how many entries. Raises redis's errors."""
        if self._waiting.is_empty:
            return 0
        try:
            taken = self._waiting.hand_over(self._put)
        except OSError as error:  # what comes next can be put on record all the same
            log.warning("acts that wait on this machine's disk cannot be put on record yet: %s", error)
            return 0
        log.info("%d entries that waited on this machine's disk are on record now", taken)
        return taken

    def close(self) -> None:
        """Close the connection."""
        self._scripts.client.close()

    def _write(self, entry: ActEntry) -> None:
        if time.monotonic() < self._away_until:
            self._keep(entry)
            return
        try:
            self.take_up()
            self._put([entry])
        except redis.RedisError as error:
            if not is_away(error):
                raise
            self._away_until = time.monotonic() + AWAY_SECONDS
            log.warning("Redis does not answer (%s): acts wait on this machine's disk", type(error).__name__)
            self._keep(entry)

    def _put(self, entries: Sequence[ActEntry]) -> None:
        for start in range(0, len(entries), _PAGE):
            self._scripts.run_many([("record_put", *entry, KNOWN_MS) for entry in entries[start : start + _PAGE]])

    def _keep(self, entry: ActEntry) -> None:
        try:
            self._waiting.add(entry)
        except OSError as error:
            mend = "make room on the disk or bring Redis back, then do it again"
            fault = f"the act {entry.action} cannot be put on record: Redis is away and {error}"
            raise NotRecordedError(f"{fault}; {mend}", retry_after=30) from error


def _completed(act: Act) -> tuple[Act, Actor]:
    """The act with what it takes over from the one under way: actor, correlation id."""
    around = underway()
    actor = act.actor or (around.actor if around else local_actor())
    correlation = act.correlation or (around.correlation if around else "")
    return replace(act, correlation=correlation), actor


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _configured() -> tuple[Any, Keys, Path]:
    from config.settings import load  # noqa: PLC0415 - only scripts without wiring read settings here
    from tasks.utils.connect import open_configured  # noqa: PLC0415

    client, keys = open_configured()
    return client, keys, load().state_dir / FOLDER
