"""`tocsin audit …`: the record that proves what became of every alert."""

import typer

from workers.cli.lazy import new_app
from workers.cli.output import ExitCode, JsonFlag, answer, answer_fields
from workers.cli.proof import prove

app = new_app(help="The record that proves what became of every alert.", no_args_is_help=True)
app.command()(prove)


@app.command()
def verify(*, as_json: JsonFlag = False) -> None:
    """Check archive and anchors line by line; exit code 1 if they are not as they were written."""
    from workers.cli.wiring import shell_runtime

    report = shell_runtime().audit.verify()
    if as_json:
        answer(report.model_dump_json(indent=2))
    else:
        verdict = "as it was written" if report.holds else "NOT as it was written"
        answer_fields({"archive": verdict, "entries": report.entries, "anchors": report.anchors})
        for line in (*(broken.wrong for broken in report.broken), *report.notes):
            answer(f"  {line}")
    if not report.holds:
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def seal(*, as_json: JsonFlag = False) -> None:
    """Chain, archive and sign now what is new in the ledger; beat does it every minute."""
    from workers.cli.wiring import shell_runtime

    report = shell_runtime().audit.seal()
    if as_json:
        answer(report.model_dump_json(indent=2))
    elif report.busy:
        answer("somebody else is sealing")
    else:
        answer(f"sealed {report.sealed} entries, {report.total} in all")
