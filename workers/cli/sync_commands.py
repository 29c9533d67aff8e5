"""`tocsin incidents sync`: our alerts compared with PagerDuty's open incidents."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_fields, answer_json

if TYPE_CHECKING:
    from tasks.incidents.sync_models import SyncReport

WORDS: Final = {
    "incidents": "open incidents at PagerDuty",
    "ours": "alerts open here and sent there",
    "known": "open there and here",
    "seen": "seen there for the first time",
    "rebuilt": "open there, made known here again",
    "acknowledged": "acknowledged there, now here too",
    "resolved_again": "resolved here since the loss, now there too",
    "closed": "resolved there, now here too",
    "still_open": "not listed, but open when asked about",
    "missing": "sent, but PagerDuty knows no incident",
    "unasked": "not asked about, the next run does",
    "ended_here": "open there, resolved here: left alone",
    "foreign": "of services that are not ours: left alone",
    "calls": "calls of the REST API",
}


def sync(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, only say what would be.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Compare our alerts with PagerDuty's open incidents and mend what differs; beat does it every five minutes.

    Exit code 75 if another run is at work.
    """
    from workers.cli.wiring import shell_runtime
    from workers.logs import configure_logging

    configure_logging("ERROR")  # the answer says it all
    report = shell_runtime().incident_sync.run(dry_run=dry_run)
    if report.state == "off":
        raise CliError(
            "There is nothing to compare with: set PAGERDUTY_API_KEY (or pagerduty.oauth), and leave incidents.sync.enabled on.",
            ExitCode.BAD_CONFIG,
        )
    if as_json:
        answer_json(report.model_dump(mode="json"))
    elif report.state == "busy":
        answer("another comparison is at work")
    else:
        _show(report)
    if report.state == "busy":
        raise typer.Exit(ExitCode.TRY_LATER)


def _show(report: "SyncReport") -> None:
    counts = report.model_dump(include=set(WORDS))
    always = ("incidents", "ours", "known", "calls")
    answer_fields({words: counts[name] for name, words in WORDS.items() if counts[name] or name in always})
    for incident in report.groups:
        answer(f"  {incident}: a group whose members are not known any more; close it by hand")
    did = "Nothing was changed" if report.dry_run else "Done"
    answer(f"{did}, in {report.took_seconds:.1f} s.")
