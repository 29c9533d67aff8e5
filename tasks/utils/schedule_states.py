"""What is known of scheduled tasks: their last runs, whether they rest; and the pauses people make."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.keys import Keys
    from tasks.utils.slot_marks import SlotMarks


class Run(NamedTuple):
    """One run. `slot`: when it was due (None: somebody asked for it). `result`: ok, failed, skipped, missed; '' while it is at work."""

    slot: datetime | None
    began: datetime | None
    ended: datetime | None
    late_seconds: float
    result: str
    detail: str
    by: str

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return (self.ended - self.began).total_seconds() if self.began and self.ended else None


class Pause(NamedTuple):
    """Who lets an entry rest, why, since and until when (None: until it is resumed)."""

    by: str
    why: str
    since: datetime
    until: datetime | None


class Missed(NamedTuple):
    """Runs that were left out: noticed when, since which due moment, how many, and whether one run made up for them."""

    at: datetime
    since: datetime
    left_out: int
    is_caught_up: bool


class State(NamedTuple):
    """One scheduled task as it stands."""

    last: Run | None
    pause: Pause | None
    missed: Missed | None
    progress: str


NOTHING: Final = State(None, None, None, "")  # is known of it


class ScheduleStates:
    """Reads and pauses. `marks` keeps pauses over a loss of the server."""

    def __init__(self, client: Any, keys: Keys, marks: SlotMarks) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._marks = marks

    def read(self, entries: Sequence[str], now: datetime) -> dict[str, State]:
        """How each of them stands."""
        pipe = self._client.pipeline(transaction=False)
        for entry in entries:
            pipe.hgetall(self._keys.schedule(entry))
            pipe.lindex(self._keys.schedule_runs(entry), 0)
        replies = pipe.execute()
        known = zip(entries, replies[::2], replies[1::2], strict=True)
        return {entry: _state(state, json.loads(newest or "{}"), now) for entry, state, newest in known}

    def known(self) -> list[str]:
        """Every entry that anything is known of, by name."""
        start = self._keys.schedule("")
        return sorted(key.removeprefix(start) for key in self._client.scan_iter(match=f"{start}*", count=1000))

    def runs(self, entry: str) -> list[Run]:
        """Its last fifty runs that came to an end, newest first."""
        return [_run(json.loads(line)) for line in self._client.lrange(self._keys.schedule_runs(entry), 0, -1)]

    def pause(self, entry: str, who: str, why: str, until: datetime | None) -> None:
        """Let it rest; a pause there is is replaced."""
        self._scripts.run("slot_pause", entry, who, why, 0 if until is None else round(until.timestamp() * 1000))
        self._marks.note(entry)

    def resume(self, entry: str, who: str) -> bool:
        """Let it run again; whether it rested."""
        was_paused = bool(self._scripts.run("slot_pause", entry, who))
        self._marks.note(entry)
        return was_paused


def _state(known: dict[str, str], newest: dict[str, Any], now: datetime) -> State:
    missed = None
    if known.get("missed_at"):
        is_caught_up = known["missed_caught_up"] == "1"
        at, since = (_at(known[name]) or now for name in ("missed_at", "missed_since"))
        missed = Missed(at, since, int(known["missed_count"]), is_caught_up)
    has_run = known.get("began") or known.get("result")
    progress = known.get("progress", "") if not known.get("ended") else ""
    last = _run(known) if has_run else None
    was_asked_for = newest.get("slot") == 0 and int(newest["began"]) >= int(known.get("began") or 0)
    return State(_run(newest) if was_asked_for else last, _pause(known, now), missed, progress)


def _pause(known: dict[str, str], now: datetime) -> Pause | None:
    since = _at(known.get("paused_at"))
    resumed, until = _at(known.get("resumed_at")), _at(known.get("paused_until"))
    if since is None or (resumed and resumed >= since) or (until and until <= now):
        return None
    return Pause(known["paused_by"], known["paused_why"], since, until)


def _run(known: dict[str, Any]) -> Run:
    return Run(
        slot=_at(known.get("slot")),
        began=_at(known.get("began")),
        ended=_at(known.get("ended")),
        late_seconds=int(known.get("late") or 0) / 1000,
        result=known.get("result", ""),
        detail=known.get("detail", ""),
        by=known.get("by", ""),
    )


def _at(ms: str | float | None) -> datetime | None:
    return datetime.fromtimestamp(int(ms) / 1000, UTC) if ms and int(ms) else None
