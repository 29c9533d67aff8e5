"""`tocsin audit log` and `export`: who did what."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from workers.cli.output import ExitCode, JsonFlag, answer, answer_table, say
from workers.cli.spans import Since, span_since

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tasks.audit.act_filter import ActFilter
    from tasks.audit.act_models import ActView

HEADERS: Final = ("AT (UTC)", "OUTCOME", "ACTION", "OBJECT", "WHO", "FROM")
USUAL: Final = "7d"

Until = Annotated[str | None, typer.Option(metavar="TIME", help="Up to: likewise.")]
Who = Annotated[str, typer.Option("--actor", help="A pattern: anna, token/*, schedule/backup-*.")]
What = Annotated[str, typer.Option("--action", help="A pattern: silences.*, *.rotate.")]
Whereto = Annotated[str, typer.Option("--object", help="A pattern: silence/4f0c*, backup/*.")]
CameOut = Annotated[
    Literal["ok", "failed", "denied", "begun"] | None,
    typer.Option("--outcome", help="ok, failed, denied, or begun: not over, or its process died."),
]
Theirs = Annotated[bool, typer.Option("--with-pagerduty", help="PagerDuty's own audit records as well.")]


def log(
    *,
    count: Annotated[int, typer.Option("--count", "-n", help="The last so many.", min=1, max=100_000)] = 50,
    since: Since = None,
    until: Until = None,
    actor: Who = "",
    action: What = "",
    object_: Whereto = "",
    outcome: CameOut = None,
    with_pagerduty: Theirs = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on showing what comes, until Ctrl-C.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """The last acts: who did what to which object from where, and what came of it. Of the last week, if not told otherwise."""
    from workers.cli.wiring import shell_runtime

    archive = shell_runtime().act_archive
    wanted = _filter(since or USUAL, until, actor=actor, action=action, object=object_, outcome=outcome)
    found = archive.last(count, wanted, with_pagerduty=with_pagerduty)
    _print(found, as_json=as_json)
    if follow:
        for act in archive.follow(wanted):
            answer(act.model_dump_json() if as_json else "  ".join(_row(act)))


def export(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; else it is printed.")] = None,
    *,
    format_: Annotated[
        Literal["jsonl", "csv"] | None, typer.Option("--format", help="By FILE's ending, if not given.")
    ] = None,
    since: Since = None,
    until: Until = None,
    actor: Who = "",
    action: What = "",
    object_: Whereto = "",
    outcome: CameOut = None,
    with_pagerduty: Theirs = False,
) -> None:
    """All acts that fit, as JSON Lines or CSV, in the order of the record; an export is an act itself.

    tocsin audit export --since 30d --action 'tokens.*' rotations.csv
    """
    import sys

    from tasks.audit.act_export import Exporter, export_to
    from tasks.utils.act_context import about
    from workers.cli.wiring import shell_runtime

    form = format_ or ("csv" if file is not None and file.suffix == ".csv" else "jsonl")
    wanted = _filter(since, until, actor=actor, action=action, object=object_, outcome=outcome)
    acts = shell_runtime().act_archive.read(wanted, with_pagerduty=with_pagerduty)
    if file is None:
        report = Exporter(sys.stdout.buffer, form).write(acts)
        sys.stdout.flush()
    else:
        report = export_to(file, acts, form)
    about(f"file/{file or 'stdout'}", acts=report.acts, sha256=report.sha256)
    say(f"{report.acts} acts, {report.bytes} bytes, SHA-256 {report.sha256}")


def _filter(since: str | None, until: str | None, **given: Any) -> ActFilter:
    from tasks.audit.act_filter import filter_of
    from tasks.utils.error_handler import PermanentError
    from workers.cli.output import CliError

    try:
        return filter_of(_moment(since), _moment(until), **{name: value or "" for name, value in given.items()})
    except PermanentError as error:
        raise CliError(str(error), ExitCode.USAGE) from None


def _moment(text: str | None) -> datetime | None:
    """The moment so long ago."""
    from datetime import UTC, datetime

    span = span_since(text)
    return None if span is None else datetime.now(UTC) - span


def _print(acts: Iterable[ActView], *, as_json: bool) -> None:
    if as_json:
        for act in acts:
            answer(act.model_dump_json())
    else:
        answer_table(HEADERS, [_row(act) for act in acts])


def _row(act: ActView) -> tuple[str, ...]:
    who = f"{act.actor_kind}/{act.actor}"
    return (f"{act.at:%Y-%m-%d %H:%M:%S}", act.outcome, act.action, act.object, who, act.origin)
