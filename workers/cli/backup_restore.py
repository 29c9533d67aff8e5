"""`tocsin backups restore`: the plan first, then its doing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.backup_options import As, DryRun, JsonFlag, Targets, Yes
from workers.cli.output import CliError, ExitCode, answer, answer_fields, answer_json, say

if TYPE_CHECKING:
    from tasks.backups.models import RestorePlan, RestoreReport

MOST_SHOWN = 40


def restore(
    backup: As = "latest",
    *,
    targets: Targets = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Only files of config and state, into folders of these names there; asks no server."
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every step of the plan.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring back what a backup holds. The plan is shown first; what cannot be restored stands in it, with the reason.

    A restore that was broken off goes on when the same command is given again. In production it needs a second factor.
    """
    from workers.cli.authority import authorise
    from workers.cli.progress import watched
    from workers.cli.wiring import quiet_runtime, shell_runtime
    from workers.logs import configure_logging

    configure_logging("ERROR")  # the answer says it all
    if not dry_run and not into:
        authorise("backups.restore")
    runtime = quiet_runtime() if into else shell_runtime()
    service = runtime.backups.restores_into(into) if into else runtime.backups.restores
    with watched():
        planned = service.plan(backup, targets or [])
    if dry_run:
        _show_plan(planned.view, every=every, as_json=as_json)
        return
    if not as_json:
        _show_plan(planned.view, every=every, as_json=False)
    _confirm(planned.view, runtime.settings.environment, yes=yes)
    with watched():
        report = service.apply(planned)
    _show_report(report, as_json=as_json)


def _show_plan(plan: "RestorePlan", *, every: bool, as_json: bool) -> None:
    from workers.cli.backup_words import change_line, count_line

    if as_json:
        answer_json(plan.model_dump(mode="json"))
        return
    made = plan.backup
    answer(f"From backup {made.id[:8]}, made {made.created.astimezone():%Y-%m-%d %H:%M:%S} in {made.environment}:")
    told = [change for change in plan.changes if every or change.verb != "leave"]
    shown = told if every else told[:MOST_SHOWN]
    for change in shown:
        answer(change_line(change))
    if len(shown) < len(told):
        answer(f"… and {len(told) - len(shown)} more: see them with --all")
    for target, counts in plan.counts.items():
        answer(count_line(target, counts))
    if plan.resumes:
        say("A restore of this backup was broken off; this goes on with it.")


def _confirm(plan: "RestorePlan", environment: str, *, yes: bool) -> None:
    import sys

    from workers.cli.prompt import typed

    if yes or not any(counts["create"] + counts["change"] for counts in plan.counts.values()):
        return
    if not sys.stdin.isatty():
        raise CliError("Nothing was changed. If you mean it, add --yes.", ExitCode.NEEDS_CONFIRMATION)
    if typed(f"To do this in {environment}, type {environment}: ") != environment:
        raise CliError("Nothing was changed.", ExitCode.NEEDS_CONFIRMATION)


def _show_report(report: "RestoreReport", *, as_json: bool) -> None:
    from workers.cli.backup_words import change_line

    if as_json:
        answer_json(report.model_dump(mode="json"))
    else:
        took = f"{report.took_seconds:.1f} s"
        answer_fields({"created": report.created, "changed": report.changed, "took": took})
        for change in report.differences:
            answer(change_line(change))
        whole = "everything that could be restored is as in the backup"
        answer(f"NOT as in the backup: {len(report.differences)} items" if report.differences else whole)
    if report.differences:
        raise typer.Exit(ExitCode.DEGRADED)
