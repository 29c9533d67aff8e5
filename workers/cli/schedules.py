"""The schedule as the shell uses it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from schedules.entries import entries_of
from schedules.view import run_view, view_of, views
from tasks.utils.schedule_states import NOTHING
from tasks.utils.slots import Call
from workers.cli.connection import current_settings
from workers.cli.output import CliError, ExitCode
from workers.cli.spans import length, moment
from workers.cli.task_calls import send
from workers.cli.task_names import did_you_mean
from workers.cli.wiring import shell_runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schedules.beat import Entry
    from schedules.view import RunView, ScheduleView


def plan() -> list[ScheduleView]:
    """Every entry as far as it can be told without Redis."""
    now = datetime.now(UTC)
    return [view_of(name, one, NOTHING, now) for name, one in entries_of(current_settings().schedules).items()]


class Shell:
    """What a person at a terminal asks of the schedule."""

    def __init__(self) -> None:
        self._runtime = shell_runtime()
        self._entries = entries_of(self._runtime.settings.schedules)

    def views(self) -> list[ScheduleView]:
        """Every entry as it stands."""
        return views(self._entries, self._runtime.schedule_states, self._runtime.clock.now())

    def view(self, name: str) -> ScheduleView:
        """One entry as it stands."""
        return views({name: self._entry(name)}, self._runtime.schedule_states, self._runtime.clock.now())[0]

    def runs(self, name: str) -> list[RunView]:
        """Its last runs, newest first."""
        self._entry(name)
        return [run_view(run) for run in self._runtime.schedule_states.runs(name)]

    def run(self, name: str) -> str:
        """Call for it now; the id of the task."""
        entry = self._entry(name)
        return send(entry.task, entry.arguments, headers=Call(name, None, entry.cron).headers)

    def pause(self, names: Sequence[str], why: str, until: datetime | None) -> datetime | None:
        """Let all of them rest; until when."""
        if not why.strip():
            raise typer.BadParameter("say why: whoever is on call next must know", param_hint="--because")
        if until and until <= self._runtime.clock.now():
            raise typer.BadParameter("that is past", param_hint="--until")
        for name in self._known(names):
            self._runtime.schedule_states.pause(name, _user(), why.strip(), until)
        return until

    def resume(self, names: Sequence[str]) -> list[str]:
        """Let all of them run again; those that did not rest."""
        return [name for name in self._known(names) if not self._runtime.schedule_states.resume(name, _user())]

    def _known(self, names: Sequence[str]) -> Sequence[str]:
        """The names, all of them checked before anything is done."""
        for name in names:
            self._entry(name)
        return names

    def _entry(self, name: str) -> Entry:
        if name not in self._entries:
            known = list(self._entries)
            hint = did_you_mean(name, known)
            raise CliError(f"There is no scheduled task {name!r}.{hint}\nThere are: {', '.join(known)}", ExitCode.USAGE)
        return self._entries[name]


def end_of_pause(lasting: str | None, end: str | None) -> datetime | None:
    """When a pause ends; None where nothing is said."""
    if lasting and end:
        raise typer.BadParameter("say one of --for and --until")
    if lasting:
        return datetime.now(UTC) + length(lasting)
    return at.astimezone(UTC) if (at := moment(end)) else None


def _user() -> str:
    from getpass import getuser

    return getuser()
