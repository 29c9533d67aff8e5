"""`tocsin audit …`: the records: what became of every alert, and who did what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from workers.cli.act_log import export, log
from workers.cli.lazy import new_app
from workers.cli.output import ExitCode, JsonFlag, answer, answer_fields, answer_json
from workers.cli.proof import prove
from workers.cli.spans import Since, span_since

if TYPE_CHECKING:
    from tasks.audit.models import Broken, VerifyReport

app = new_app(help="The records: what became of every alert, and who did what.", no_args_is_help=True)
app.command()(log)
app.command()(export)
app.command()(prove)


@app.command()
def verify(*, since: Since = None, as_json: JsonFlag = False) -> None:
    """Check the archives and anchors of the ledger, of acts and of PagerDuty's records line by line; exit code 1 if they were touched.

    With --since only the files from that day on, where older ones were moved away.
    """
    from workers.cli.wiring import shell_runtime

    runtime, span = shell_runtime(), span_since(since)
    report = runtime.act_archive.verify(runtime.audit.verify(span), span)
    if as_json:
        answer_json({**report.ledger.model_dump(mode="json"), **report.model_dump(mode="json", exclude={"ledger"})})
    else:
        for name in ("ledger", "acts", "pagerduty"):
            _show(name, getattr(report, name))
    if not report.holds:
        raise typer.Exit(ExitCode.FAILED)


def _show(name: str, report: VerifyReport) -> None:
    verdict = "as it was written" if report.holds else "NOT as it was written"
    answer_fields({name: verdict, "entries": report.entries, "anchors": report.anchors})
    for line in (*map(_located, report.broken), *report.notes):
        answer(f"  {line}")
    if report.broken_count > len(report.broken):
        answer(f"  … and {report.broken_count - len(report.broken)} more")


def _located(broken: Broken) -> str:
    """What is wrong; with the place where the words do not name it."""
    place = f"line {broken.line} of {broken.file}"
    return broken.wrong if not broken.file or place in broken.wrong else f"{broken.wrong} (at {place})"


@app.command()
def seal(*, as_json: JsonFlag = False) -> None:
    """Chain, archive and sign now what is new in the ledger and on the record of acts; beat does it every minute."""
    from workers.cli.wiring import shell_runtime

    runtime = shell_runtime()
    report, records = runtime.audit.seal(), runtime.act_archive.seal()
    if as_json:
        answer_json({**report.model_dump(), "records": records.model_dump()})
    elif report.busy:
        answer("somebody else is sealing")
    else:
        answer(f"sealed {report.sealed} entries of the ledger, {report.total} in all")
        answer(f"sealed {records.acts.sealed} entries of acts, {records.acts.total} in all")


@app.command()
def collect(*, as_json: JsonFlag = False) -> None:
    """Fetch what is new of PagerDuty's own audit records; beat does it every ten minutes."""
    from workers.cli.wiring import shell_runtime

    report = shell_runtime().act_archive.collector.collect()
    if as_json:
        answer(report.model_dump_json(indent=2))
    else:
        answer_fields(report.model_dump())
    if report.state != "done":
        raise typer.Exit(ExitCode.TRY_LATER if report.state == "waits" else ExitCode.DEGRADED)
