"""`tocsin errors …`: what went wrong lately, how often, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.lazy import new_app
from workers.cli.output import CliError, JsonFlag, answer, answer_fields, answer_json, answer_table
from workers.cli.spans import Since, span_since

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.error_journal import ErrorEntry

app = new_app(help="What went wrong lately, how often, and how to mend it.", no_args_is_help=True)

_HEADERS = ("COUNT", "LAST", "CLASS", "WHERE", "ERROR", "FINGERPRINT")
_MOST_SAMPLES = 10


@app.callback()
def _errors() -> None:
    """What went wrong lately, how often, and how to mend it."""


@app.command()
def top(
    *,
    since: Since = "1h",
    limit: Annotated[int, typer.Option(help="Most kinds of error to show.", min=1)] = 20,
    as_json: JsonFlag = False,
) -> None:
    """The most frequent errors of the last hour, or of --since; a week is kept."""
    from workers.cli.wiring import shell_runtime

    entries = shell_runtime().errors.top(span_since(since))[:limit]
    if as_json:
        answer_json([entry.fields() for entry in entries])
    elif not entries:
        answer("no errors")
    else:
        answer_table(_HEADERS, [_row(entry) for entry in entries])
        answer("\nMore on one of them: tocsin errors show FINGERPRINT")


@app.command()
def show(fingerprint: Annotated[str, typer.Argument(metavar="FINGERPRINT")], *, as_json: JsonFlag = False) -> None:
    """One kind of error: what it means, how to mend it, and what the latest of them said."""
    from workers.cli.wiring import shell_runtime

    entries = shell_runtime().errors.samples(fingerprint)
    if not entries:
        raise CliError(f"No error {fingerprint} is known.\nWhich there are: tocsin errors top --since 7d")
    if as_json:
        answer_json([entry.fields() for entry in entries])
    else:
        _tell(entries)


def _tell(entries: Sequence[ErrorEntry]) -> None:
    report = entries[-1].report
    answer_fields(
        {
            "error": report.error,
            "class": f"{report.kind} ({report.severity})",
            "where": report.where,
            "place": report.place,
            "count": sum(entry.count for entry in entries),
            "first": f"{entries[0].first:%Y-%m-%d %H:%M:%S %Z}",
            "last": f"{entries[-1].last:%Y-%m-%d %H:%M:%S %Z}",
            "mend": report.mend,
        }
    )
    answer("")
    rows = [(f"{entry.first:%m-%d %H:%M}", entry.count, entry.report.text) for entry in entries[-_MOST_SAMPLES:]]
    answer_table(("MINUTE", "COUNT", "IT SAID"), rows)


def _row(entry: ErrorEntry) -> tuple[object, ...]:
    report = entry.report
    said = f"{report.error}: {report.text}" if report.text else report.error
    return (entry.count, f"{entry.last:%m-%d %H:%M:%S}", report.kind, report.where, said[:80], report.fingerprint)
