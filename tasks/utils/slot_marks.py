"""Which scheduled runs were claimed, and what rests, noted outside Redis: should that lose everything, none must run twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

from tasks.utils.files import locked
from tasks.utils.kept_file import KeptFile
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tasks.utils.keys import Keys

log = structlog.get_logger("tocsin.schedules")

FILE: Final = "schedules.json"  # in the state folder
RUN: Final = ("slot", "cron", "message", "by", "began", "late", "ended", "result", "detail")
PAUSE: Final = ("paused_at", "paused_by", "paused_why", "paused_until", "resumed_at", "resumed_by")

State = dict[str, str]


class SlotMarks:
    """The file `schedules.json`: what this machine knows of each scheduled task."""

    def __init__(self, client: Any, keys: Keys, path: Path) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._path = path
        self._file = KeptFile(path)
        self._noted: dict[str, State] = {}

    def note(self, *entries: str) -> None:
        """Write down how these entries stand now; on the disk when this returns. A disk that is full hinders no run."""
        states = dict(zip(entries, self._read(entries), strict=True))
        if all(self._noted.get(entry) == state for entry, state in states.items()):
            return
        try:
            is_kept = self._merge(states)
        except OSError:  # the folder cannot be written
            is_kept = False
        if is_kept:
            self._noted.update(states)
        else:
            words = "should Redis lose everything now, a run may be made twice"
            log.warning("slots_not_remembered", file=str(self._path), meaning=words)

    def restore(self, *entries: str) -> None:
        """Tell Redis what it no longer knows of these entries, or of all."""
        known = self._load()
        for entry, state in ((name, known[name]) for name in entries or known if name in known):
            run = [part for name in RUN if state.get(name) for part in (name, state[name])]
            pause = [part for name in PAUSE if state.get(name) for part in (name, state[name])]
            news = [entry, state.get("slot", 0), state.get("paused_at", 0), state.get("resumed_at", 0)]
            if self._scripts.run("slot_restore", *news, len(run), *run, *pause):
                log.warning("slot_restored", entry=entry, slot=state.get("slot"))

    def _read(self, entries: Iterable[str]) -> list[State]:
        pipe = self._client.pipeline(transaction=False)
        for entry in entries:
            pipe.hmget(self._keys.schedule(entry), [*RUN, *PAUSE])
        return [
            {name: value for name, value in zip((*RUN, *PAUSE), values, strict=True) if value is not None}
            for values in pipe.execute()
        ]

    def _merge(self, states: Mapping[str, State]) -> bool:
        with locked(self._path):
            before = self._load()
            after = before | {entry: _newer(before.get(entry, {}), state) for entry, state in states.items()}
            return after == before or self._file.write(after)

    def _load(self) -> dict[str, State]:
        known = self._file.read()
        return known if isinstance(known, dict) else {}


def _newer(before: State, now: State) -> State:
    """The later run and the later word on pausing: a server that has just lost everything knows of neither."""
    run = max(now, before, key=lambda state: int(state.get("slot", 0)))
    pause = max(now, before, key=lambda state: max(int(state.get("paused_at", 0)), int(state.get("resumed_at", 0))))
    return {name: run[name] for name in RUN if name in run} | {name: pause[name] for name in PAUSE if name in pause}
