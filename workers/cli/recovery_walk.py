"""The walk of a recovery: restore, sync, verify, report. Each step may be taken again; none undoes another."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from config.bare import load_bare
from config.errors import ConfigError
from tasks.backups.candidates import Candidate, newest_whole
from tasks.backups.recovery_models import RecoveryReport
from tasks.backups.recovery_plan import part_plan, unset
from tasks.backups.repository import LATEST
from tasks.recovering import Looks, look_after, once_free
from tasks.runtime import Runtime
from workers.cli.connection import current_settings
from workers.cli.output import CliError, ExitCode
from workers.cli.progress import watched
from workers.cli.recovery_server import some_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.models import Settings
    from tasks.backups.models import ChangeView, RestoreReport
    from tasks.utils.actor import Actor

ELSEWHERE: Final = "REDIS_URL"  # the step about the server tells of it
UNSET: Final = "set what the old machine's environment set and this one's does not, as far as it is needed here"
RECORDS: Final = ".jsonl"  # added to for ever; other files are documents, of which the newest counts
LEFT: Final = "this machine had begun records of its own, which stayed; those of the backup are not here"
PARTS: Final = ("config", "state")
MOST_NAMED: Final = 5


class StoppedError(CliError):
    """The walk cannot go on before a person has done something; the report says what. The same command goes on then."""


class Walk:
    """One recovery. `reference`: the backup that is asked for."""

    def __init__(self, reference: str, *, dry_run: bool) -> None:
        self.report = RecoveryReport(dry_run=dry_run)
        self._began = time.monotonic()
        self._runtime = Runtime(known_settings())
        self._restores = self._runtime.backups.restores_here
        self._note = self._runtime.backups.recovery_note
        self._chosen = [self._choose(part, reference) for part in self._parts()]
        self._plan()

    @property
    def environment(self) -> str:
        """The environment it is about, by the backup."""
        return self._chosen[0].planned.view.backup.environment

    def _parts(self) -> list[str]:
        """Those that any backup has; UnknownError where there is none at all."""
        repository = self._restores.repository
        repository.find(LATEST)
        held = {part for snapshot in repository.snapshots() for part in snapshot.parts}
        return [part for part in PARTS if part in held]

    def _choose(self, part: str, reference: str) -> Candidate:
        if reference == LATEST:
            reference = self._note.read().get(part, LATEST)
        elif part not in self._restores.repository.find(reference).parts:
            reference = LATEST
        return newest_whole(self._restores, part, reference)

    def _plan(self) -> None:
        repository, now = self._restores.repository, datetime.now(UTC)
        self.report.parts = [part_plan(repository, one, now) for one in self._chosen]
        for one in self._chosen:
            missing = [words for words in unset(repository, one, os.environ) if words.partition(",")[0] != ELSEWHERE]
            if missing:
                self.report.todo.append(f"{UNSET}: {'; '.join(missing)}")

    def files(self) -> None:
        """Put the configuration and the files of the state where they belong."""
        self._note.write({one.part: one.planned.snapshot.id for one in self._chosen})
        for one in self._chosen:
            done = self._restores.carry_out(one.planned)
            where = self._runtime.settings.config_dir if one.part == "config" else self._runtime.settings.state_dir
            self._add("config" if one.part == "config" else "files", f"files in {where}", done)
            self._tell_left(one)

    def _add(self, name: str, where: str, done: RestoreReport, there: int | None = None) -> None:
        there = sum(counts["leave"] for counts in done.plan.values()) if there is None else there
        replaced = f", {done.changed:,} replaced" if done.changed else ""
        words = f"{where}: {done.created:,} put back{replaced}, {there:,} were there"
        if done.differences:
            words += f"; NOT as in the backup: {', '.join(one.item for one in done.differences[:MOST_NAMED])}"
        self.report.add(name, words, "failed" if done.differences else "done")

    def _tell_left(self, one: Candidate) -> None:
        left = [change for change in one.planned.view.changes if change.verb == "cannot"]
        records = [change.item for change in left if change.item.endswith(RECORDS)]
        if records:
            names = ", ".join(records[:MOST_NAMED]) + ("" if len(records) <= MOST_NAMED else " …")
            self.report.lost.append(f"{LEFT}: {names}; `tocsin backups restore --target state --into DIR` shows them")

    def settings(self) -> Settings:
        """The whole configuration, as it is back now. StoppedError: something it needs is not set."""
        try:
            settings = current_settings()
        except ConfigError as error:
            self.report.add("settings", "the configuration cannot be read before these are set", "waits")
            self.report.todo = [*(str(problem) for problem in error.problems), *self.report.todo]
            raise StoppedError(
                "The files are back. Do what is said above; the same command goes on.", ExitCode.BAD_CONFIG
            ) from None
        self.report.add("settings", f"{len(settings.services)} services, environment {settings.environment}")
        return settings

    def rest(self, settings: Settings) -> None:
        """Everything that needs a server."""
        from workers.cli.recovery_authority import may_recover

        with some_server(settings) as words, wired() as runtime:
            self.report.add("server", words)
            actor = may_recover(runtime, self.report)
            with watched():  # not before: a bar must not be drawn over a question
                self._state(runtime)
                look_after(self.report, _looks(runtime))
            self._end(runtime, actor)

    def _state(self, runtime: Runtime) -> None:
        one = next((one for one in self._chosen if one.part == "state"), None)
        if one is not None:
            restores = runtime.backups.restores
            planned = restores.plan(one.planned.snapshot.id, ["state"])
            there = sum(change.verb == "leave" and not _is_file(change) for change in planned.view.changes)
            done = once_free(lambda: restores.apply(planned))
            self._add("state", "open alerts with their timers, silences, dead letters", done, there)
        runtime.epochs.ask()  # whoever works with this state folder knows now that the former data set is lost

    def _end(self, runtime: Runtime, actor: Actor) -> None:
        from tasks.utils.acts import Act

        self._tell_unknown()
        self.report.is_over = True
        self.report.took_seconds = round(time.monotonic() - self._began, 1)
        detail = {one.part: one.planned.snapshot.short for one in self._chosen}
        about = f"backup/{self._chosen[-1].planned.snapshot.short}"
        runtime.acts.record(Act("backups.recover", about, actor, detail=detail))
        self._note.end()

    def _tell_unknown(self) -> None:
        state = next((part for part in self.report.parts if part.part == "state"), None)
        if state is not None:
            since = f"{state.backup.created.astimezone():%Y-%m-%d %H:%M:%S %Z}"
            self.report.lost.append(
                f"what happened after {since} and is not at PagerDuty: silences, dead letters and records made since, "
                "and alerts accepted since that nobody was told of"
            )


@contextmanager
def wired() -> Iterator[Runtime]:
    """The services on the configuration and the server that there are now."""
    runtime = Runtime(current_settings())
    try:
        yield runtime
    finally:
        runtime.client.close()
        if "rest" in vars(runtime):
            runtime.rest.close()


def _looks(runtime: Runtime) -> Looks:
    return Looks(
        runtime.tokens.take_up,
        lambda: runtime.incident_sync.run(dry_run=False),  # with the keys that are in force by then
        lambda: runtime.audit.prove(None),
        lambda: runtime.health.examine("quick"),
    )


def _is_file(change: ChangeView) -> bool:
    return change.item.startswith(("files/", "environment/"))


def known_settings() -> Settings:
    """The settings as far as they are there: the whole configuration, or what the environment says of backups."""
    try:
        return current_settings()
    except ConfigError:
        return load_bare()
