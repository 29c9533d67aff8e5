"""`tocsin backups verify | prune | drill`."""

from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.backup_options import DryRun, JsonFlag, Yes
from workers.cli.output import CliError, ExitCode, answer, answer_fields, answer_json, say

if TYPE_CHECKING:
    from tasks.backups.models import DrillReport, PruneReport, VerifyReport

Kept = Annotated[int | None, typer.Option(min=0, metavar="N")]


def verify(
    *,
    read_data: Annotated[bool, typer.Option("--read-data", help="Read and decrypt every byte, too.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check that every backup is as it was written; exit code 1 names what is not, and the last good backup."""
    from workers.cli.progress import watched
    from workers.cli.wiring import quiet_runtime

    with watched():
        report = quiet_runtime().backups.service.verify(read_data=read_data)
    if as_json:
        answer_json(report.model_dump(mode="json"))
    else:
        _show(report)
    if not report.holds:
        raise typer.Exit(ExitCode.FAILED)


def _show(report: "VerifyReport") -> None:
    from workers.cli.backup_words import fault_lines, size

    for fault in report.faults:
        for line in fault_lines(fault):
            answer(line)
    for note in report.notes:
        say(f"note: {note}")
    looked = f"{report.backups} backups, {report.objects:,} objects in {report.packs} packs"
    read = f", {size(report.bytes)} read" if report.data_read else "; their data was not read (--read-data does)"
    answer_fields({"looked at": looked + read, "took": f"{report.took_seconds:.1f} s"})
    if report.holds:
        answer("everything is as it was written")
    else:
        good = f"the last good backup is {report.last_good[:8]}" if report.last_good else "NO backup is good"
        answer(f"NOT as it was written: {len(report.faults)} faults; {good}")


def prune(
    *,
    keep_last: Kept = None,
    keep_hourly: Kept = None,
    keep_daily: Kept = None,
    keep_weekly: Kept = None,
    keep_monthly: Kept = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Forget old backups by these rules, or by `backups.keep`, and free what nothing needs any more. The last good one stays."""
    from tasks.backups.retention import Keep
    from workers.cli.authority import authorise
    from workers.cli.progress import watched
    from workers.cli.wiring import shell_runtime

    given = (keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly)
    keep = Keep(*(count or 0 for count in given)) if any(count is not None for count in given) else None
    if not dry_run:
        authorise("backups.prune")
    service = shell_runtime().backups.service
    if not dry_run and not yes:
        _confirm(service.prune(keep, dry_run=True))
    with watched():
        report = service.prune(keep, dry_run=dry_run)
    answer_json(report.model_dump(mode="json")) if as_json else _show_pruned(report)


def _confirm(found: "PruneReport") -> None:
    if found.forgotten:
        say(f"This forgets {len(found.forgotten)} of {len(found.forgotten) + len(found.kept)} backups for good.")
        raise CliError("If you mean it, add --yes; --dry-run says which.", ExitCode.NEEDS_CONFIRMATION)


def _show_pruned(report: "PruneReport") -> None:
    from workers.cli.backup_words import size

    for backup in report.kept:
        answer(
            f"= {backup.id[:8]}  {backup.created.astimezone():%Y-%m-%d %H:%M}  {', '.join(report.reasons[backup.id])}"
        )
    for backup in report.forgotten:
        answer(f"- {backup.id[:8]}  {backup.created.astimezone():%Y-%m-%d %H:%M}")
    for note in report.notes:
        say(f"note: {note}")
    word = "would be " if report.dry_run else ""
    answer(f"{len(report.forgotten)} {word}forgotten, {len(report.kept)} kept, {size(report.bytes_freed)} {word}freed")


def drill(*, as_json: JsonFlag = False) -> None:
    """Rehearse a restore: the newest backup into a sandbox and into empty folders; nothing real is touched.

    Exit code 1 if it cannot be restored; then the last good backup is named.
    """
    from workers.cli.progress import watched
    from workers.cli.wiring import shell_runtime
    from workers.logs import configure_logging

    configure_logging("ERROR")  # the answer says it all
    runtime = shell_runtime()
    with watched():
        report = runtime.backups.drills.drill()
    answer_json(report.model_dump(mode="json")) if as_json else _show_drill(report)
    if not report.ok:
        raise typer.Exit(ExitCode.FAILED)


def _show_drill(report: "DrillReport") -> None:
    answer_fields(
        {
            "backup": report.backup[:8],
            "restored": ", ".join(f"{part} {count:,}" for part, count in report.restored.items()),
            "age (RPO)": f"{report.rpo_seconds:.0f} s: what is younger would be lost",
            "restore (RTO)": f"{report.rto_seconds:.1f} s",
        }
    )
    for fault in report.faults:
        answer(f"! {fault}")
    good = f"the last good backup is {report.last_good[:8]}" if report.last_good else "NO backup is good"
    answer("the rehearsal went well" if report.ok else f"the rehearsal FAILED; {good}")
