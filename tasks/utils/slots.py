"""Scheduled runs: each is given to one message only, however many beats there are, and what came of it is kept."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import structlog

from tasks.utils.clock import Clock
from tasks.utils.connect import is_away
from tasks.utils.cron import dues_between, last_due, next_due
from tasks.utils.error_reports import examine
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts
from tasks.utils.single_flight import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tasks.utils.keys import Keys
    from tasks.utils.slot_marks import SlotMarks

log = structlog.get_logger("tocsin.schedules")

Verdict = Literal["run", "again", "taken", "late", "paused", "settling"]
Sight = Literal["well", "new", "awaited", "paused", "settling", "called", "call", "given_up"]

AWAITED: Final = timedelta(seconds=20)  # so long after its time a run may still be on its way
GIVEN: Final = timedelta(minutes=2)  # so long a call is given to be followed
MANUAL: Final = "now"  # stands where the due time stands: somebody asked for this run


class Call(NamedTuple):
    """What a message of the schedule says: which entry, when it was due (None: somebody asked for it), by which expression it runs.

    `window`: how long after its time the run is made up for.
    """

    entry: str
    due: datetime | None
    cron: str = ""
    window: timedelta = timedelta.max

    @classmethod
    def read(cls, headers: Mapping[str, Any]) -> Call | None:
        """What the headers of a message say; None where they say nothing of a schedule."""
        slot = headers.get("tocsin_slot")
        if not slot:
            return None
        entry, _, due = slot.partition("@")
        seconds = headers.get("tocsin_window")
        window = timedelta.max if seconds is None else timedelta(seconds=seconds)
        return cls(
            entry, None if due == MANUAL else datetime.fromisoformat(due), headers.get("tocsin_cron") or "", window
        )

    @property
    def headers(self) -> dict[str, Any]:
        """The headers that say so."""
        said = {"tocsin_slot": str(self), "tocsin_cron": self.cron}
        return said if self.window == timedelta.max else {**said, "tocsin_window": self.window.total_seconds()}

    def __str__(self) -> str:
        """The name of the run."""
        return f"{self.entry}@{f'{self.due:%Y-%m-%dT%H:%MZ}' if self.due else MANUAL}"


class Slots:
    """Claims of scheduled runs. `ask` looks first whether Redis lost everything: then what was noted outside of it is restored."""

    def __init__(self, client: Any, keys: Keys, marks: SlotMarks, ask: Callable[[], object] = lambda: None) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._clock = Clock(client, keys)
        self._marks = marks
        self._ask = ask

    @contextmanager
    def run(self, call: Call, message: str) -> Iterator[Verdict]:
        """Whether this message is to do the run (`run` and `again`: yes), and note what comes of it.

        A server that goes away leaves it open: the message comes back.
        """
        verdict, due, began = self._claim(call, message)
        if verdict not in ("run", "again"):
            yield verdict
            return
        log.info("scheduled_run", entry=call.entry, slot=str(call._replace(due=due)), again=verdict == "again")
        end = (call.entry, _ms(due), message)
        try:
            yield verdict
        except BusyError as error:
            self._end(*end, "skipped", str(error), began)
            raise
        except Exception as error:
            if not is_away(error):
                self._end(*end, "failed", examine(error, call.entry).text, began)
            raise
        self._end(*end, "ok", "", began)

    def watch(self, entry: str, cron: str, window: timedelta) -> Sight:
        """Look whether an entry misses its run; `call`: this caller is the one to call for it."""
        return self.watch_all({entry: (cron, window)})[entry]

    def watch_all(self, entries: Mapping[str, tuple[str, timedelta]]) -> dict[str, Sight]:
        """The same for many, each with its expression and how long a missed run is made up for; in two round trips."""
        now = self._clock.now()
        dues = {entry: last_due(cron, now) for entry, (cron, _) in entries.items()}
        patience, given = milliseconds(AWAITED), milliseconds(GIVEN)
        calls = [
            ("slot_watch", entry, cron, _ms(dues[entry]), patience, milliseconds(window), given)
            for entry, (cron, window) in entries.items()
        ]
        seen = dict(zip(entries, self._scripts.run_many(calls), strict=True))
        for entry, (sight, before) in seen.items():
            if sight == "given_up":
                self._note_missed(entry, entries[entry][0], int(before), dues[entry], is_caught_up=False)
        return {entry: sight for entry, (sight, _) in seen.items()}

    def progress(self, entry: str, words: str) -> None:
        """Show how far the run of that entry is."""
        self._client.hset(self._keys.schedule(entry), "progress", words)

    def _claim(self, call: Call, message: str) -> tuple[Verdict, datetime | None, int]:
        """A message stands for the newest run that is due, so that after a long silence of the workers one run is made, not a hundred."""
        now = self._clock.now()
        if call.due is None:
            return "run", None, _ms(now)
        self._ask()
        self._marks.restore(call.entry)  # a server that crashed may have lost its last second, and with it the claim
        newest = max(call.due, last_due(call.cron, now)) if call.cron else call.due
        is_late = int(now - newest > max(call.window, GIVEN))
        verdict, slot, before = self._scripts.run("slot_claim", call.entry, _ms(newest), message, _whoami(), is_late)
        if verdict == "late":
            self.watch(call.entry, call.cron, call.window)
        due = datetime.fromtimestamp(int(slot) / 1000, UTC)
        if verdict in ("run", "paused"):
            self._marks.note(call.entry)
        if verdict == "run" and call.cron:
            self._note_missed(call.entry, call.cron, int(before), due, is_caught_up=True)
        return verdict, due, _ms(now)

    def _note_missed(self, entry: str, cron: str, before: int, due: datetime, *, is_caught_up: bool) -> None:
        """Say that runs were left out, or that this one comes late enough to say so."""
        if not before:
            return
        first = next_due(cron, datetime.fromtimestamp(before / 1000, UTC))
        now = self._clock.now()
        if first >= due and now - due < 2 * AWAITED + GIVEN and is_caught_up:
            return
        count = dues_between(cron, first - timedelta(seconds=1), due) + (not is_caught_up)
        known: Mapping[str, Any] = {
            "missed_at": _ms(now),
            "missed_since": _ms(first),
            "missed_count": count,
            "missed_caught_up": int(is_caught_up),
        }
        self._client.hset(self._keys.schedule(entry), mapping=known)
        log.warning(
            "scheduled_run_missed", entry=entry, since=f"{first:%Y-%m-%dT%H:%MZ}", left_out=count, made_up=is_caught_up
        )

    def _end(self, entry: str, slot: int, message: str, result: str, detail: str, began: int) -> None:
        self._scripts.run("slot_end", entry, slot, message, result, detail[:500], began, _whoami())
        self._marks.note(entry)


def _whoami() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"


def _ms(at: datetime | None) -> int:
    return 0 if at is None else round(at.timestamp() * 1000)
