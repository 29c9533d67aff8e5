"""`tocsin recover`: an installation rebuilt from its backup, on an empty machine."""

from typing import TYPE_CHECKING

import typer

from workers.cli.backup_options import As, DryRun, JsonFlag, Yes
from workers.cli.lazy import new_app
from workers.cli.output import CliError, ExitCode, answer, answer_json, say

if TYPE_CHECKING:
    from workers.cli.recovery_walk import Walk

app = new_app()


@app.command()
def recover(backup: As = "latest", *, dry_run: DryRun = False, yes: Yes = False, as_json: JsonFlag = False) -> None:
    """Rebuild Tocsin from its backup: configuration, state, open alerts and timers; compare with PagerDuty, prove, report.

    Needs TOCSIN_BACKUPS__FOLDER, ENCRYPTION_KEY, TOCSIN_STATE_DIR and TOCSIN_CONFIG_DIR; REDIS_URL, or it starts the
    embedded server. Broken off, it goes on when it is run again. Exit code 3: it is back, and something is lost.
    """
    from workers.cli.progress import watched
    from workers.cli.recovery_walk import Walk
    from workers.logs import configure_logging

    configure_logging("CRITICAL")  # the report says it all
    with watched():
        walk = Walk(backup, dry_run=dry_run)
    if not as_json:
        _show_plan(walk)
    if not dry_run:
        _confirm(walk.environment, yes=yes)
        _go(walk, as_json=as_json)
    if as_json:
        answer_json(walk.report.model_dump(mode="json"))
    elif dry_run:
        _show_end(walk)
    if not dry_run and not walk.report.is_whole:
        raise typer.Exit(ExitCode.DEGRADED)


def _show_plan(walk: "Walk") -> None:
    from workers.cli.recovery_words import plan_lines

    for line in plan_lines(walk.report):
        answer(line)


def _show_end(walk: "Walk") -> None:
    from workers.cli.recovery_words import end_lines

    for line in end_lines(walk.report):
        answer(line)


def _confirm(environment: str, *, yes: bool) -> None:
    from workers.cli.prompt import is_attended, typed

    if yes:
        return
    if not is_attended():
        raise CliError("Nothing was changed. If you mean it, add --yes.", ExitCode.NEEDS_CONFIRMATION)
    if typed(f"To do this in {environment}, type {environment}: ") != environment:
        raise CliError("Nothing was changed.", ExitCode.NEEDS_CONFIRMATION)


def _go(walk: "Walk", *, as_json: bool) -> None:
    """Every step; whatever ends it early, what was done and is to be done is shown."""
    from workers.cli.progress import watched
    from workers.cli.recovery_authority import may_recover_early
    from workers.cli.recovery_words import step_line

    may_recover_early()
    try:
        with watched():
            walk.files()
        walk.rest(walk.settings())
    except BaseException as error:
        if as_json:
            answer_json(walk.report.model_dump(mode="json"))
        if isinstance(error, KeyboardInterrupt):
            say("Broken off. What is told below is done; the same command goes on from there.")
        raise
    finally:
        if not as_json:
            for at in range(len(walk.report.steps)):
                answer(step_line(walk.report, at))
            _show_end(walk)
    say(f"Recovered in {walk.report.took_seconds:.1f} s.")
