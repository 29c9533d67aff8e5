"""`tocsin logs …`: what is kept for how long, its archives, and legal holds."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.lazy import new_app
from workers.cli.log_hold_commands import app as holds
from workers.cli.output import ExitCode, JsonFlag, answer, answer_json, answer_table, say

app = new_app(help="Records past their time: clean up, list archives, restore, hold.", no_args_is_help=True)
app.add_typer(holds, name="hold")

Classes = Annotated[
    list[str] | None,
    typer.Option("--class", "-c", metavar="CLASS", help="Only this class, such as ledgers; may be repeated."),
]


@app.callback()
def _logs() -> None:
    """Records past their time: clean up, list archives, restore, hold."""


@app.command("clean-up")
def clean_up(
    *,
    classes: Classes = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Only count what would go, and say what stays.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Archive, verify and delete what is past its retention: files of this machine, and rows in Redis. Beat does it daily."""
    from workers.cli.log_tables import CLASS_HEADERS, class_row
    from workers.cli.progress import watched
    from workers.cli.wiring import shell_runtime

    if not dry_run:
        from workers.cli.authority import authorise

        authorise("logs.clean_up")
    with watched():
        report = shell_runtime().logs.clean_up.run(classes or (), dry_run=dry_run)
    if as_json:
        answer_json(report.model_dump(mode="json"))
        return
    answer_table(CLASS_HEADERS, [class_row(one) for one in report.classes])
    for one in report.classes:
        for kept in one.kept[:5]:
            say(f"{one.kind} {kept.name} stays: {kept.why}")
        if one.kept_items > 5:
            say(f"{one.kind}: {one.kept_items - 5} more stay; --json names them")
    if dry_run:
        say("nothing was changed; without --dry-run it is done")


app.command("cleanup", hidden=True)(clean_up)


@app.command("list")
def list_(
    *,
    kind: Annotated[str | None, typer.Option("--class", "-c", help="Only archives of this class.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """The archives of this machine, oldest first."""
    from workers.cli.log_tables import ARCHIVE_HEADERS, archive_row, class_of
    from workers.cli.wiring import shell_runtime

    found = shell_runtime().logs.archives.views(class_of(kind))
    if as_json:
        answer_json([one.model_dump(mode="json") for one in found])
    else:
        answer_table(ARCHIVE_HEADERS, [archive_row(one) for one in found])


@app.command()
def verify(*, as_json: JsonFlag = False) -> None:
    """Read every archive to its end and check the list of them; exit code 1 if one is not as it was written."""
    from workers.cli.progress import watched
    from workers.cli.wiring import shell_runtime

    with watched():
        report = shell_runtime().logs.archives.verify()
    if as_json:
        answer_json(report.model_dump(mode="json"))
    else:
        verdict = "as they were written" if report.holds else "NOT as they were written"
        answer(f"{report.archives} archives, {report.bytes:,} bytes in them: {verdict}")
        for fault in report.faults:
            answer(f"  {fault}")
    if not report.holds:
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def restore(
    archive: Annotated[str, typer.Argument(metavar="ARCHIVE", help="Its id, as `list` shows it.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Bring an archive back where it was; of ledgers those after it, too. It stays for a week, then it is cleaned up again."""
    from getpass import getuser

    from workers.cli.progress import watched
    from workers.cli.wiring import shell_runtime

    with watched():
        restored = shell_runtime().logs.restores.restore(archive, getuser())
    if as_json:
        answer_json(restored.model_dump(mode="json"))
        return
    for place in restored.places:
        answer(place)
    say(f"it stays until {restored.stays_until:%Y-%m-%d %H:%M} UTC (hold {restored.hold})")


@app.command()
def relist(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would get on the list.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Put archives on the list that lie in the folder and are not on it: for when chain.jsonl, or its end, was lost."""
    from workers.cli.progress import watched
    from workers.cli.wiring import shell_runtime

    with watched():
        told = shell_runtime().logs.relisting.run(dry_run=dry_run)
    if as_json:
        answer_json(told.model_dump(mode="json"))
        return
    for archive in told.listed:
        answer(archive)
    for refused in told.refused:
        say(f"not listed: {refused}")
    if told.missing:
        say(f"there is no sound archive of number {', '.join(map(str, told.missing))}: find out what became of it")
    if told.lost_end:
        say("the list had lost its end; what is on it now counts as all there is")
