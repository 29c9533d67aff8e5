"""The schedule as it is in force: the entries of `beat.py` with what the settings change of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.errors import ConfigError, Problem, did_you_mean
from schedules.beat import ENTRIES, Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.schedules import ScheduleEntry


def entries_of(
    changes: Mapping[str, ScheduleEntry], where: Callable[[str], str] = lambda _: "schedules"
) -> dict[str, Entry]:
    """Every entry, those that are switched off included.

    ConfigError for names there are none of; `where` says in which place of the settings a name stands.
    """
    known = list(ENTRIES)
    unknown = [name for name in changes if name not in ENTRIES]
    if unknown:
        what = "there is no such scheduled task"
        raise ConfigError([Problem(where(name), f"schedules.{name}", what, _mend(name, known)) for name in unknown])
    return {name: _changed(entry, changes.get(name)) for name, entry in ENTRIES.items()}


def _mend(name: str, known: list[str]) -> str:
    near = did_you_mean(name, known)
    return near if near.startswith("remove") else f"{near} There are {', '.join(known)}"


def _changed(entry: Entry, change: ScheduleEntry | None) -> Entry:
    if change is None:
        return entry
    return replace(
        entry,
        cron=change.cron or entry.cron,
        arguments={**entry.arguments, **change.arguments},
        catch_up=entry.catch_up if change.catch_up is None else change.catch_up,
        enabled=change.enabled,
    )
