"""`tocsin health`: how everything is, what to do, and how it was."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from workers.cli.lazy import FlagGroup, new_app
from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_table, say
from workers.cli.spans import Since, span_since

if TYPE_CHECKING:
    from typer._click import Context

    from tasks.health.models import HealthReport

BARE: Final = "."
ENDINGS: Final = (".md", ".html", ".json")


class HealthGroup(FlagGroup):
    """Lets `--report` stand bare, as no other option may: click knows no option whose value may be left out."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Put in what is left out."""
        given = list(args)
        for at, (word, following) in enumerate(pairwise([*args, "-"])):
            if word == "--report" and (following.startswith("-") or following in self.commands):
                given[at] = f"--report={BARE}"
        return super().parse_args(ctx, given)


app = new_app(cls=HealthGroup, invoke_without_command=True)


@app.callback()
def health(
    context: typer.Context,
    *,
    full: Annotated[
        bool, typer.Option("--full-check", help="Look at PagerDuty and send the canary, too; half a minute at most.")
    ] = False,
    report: Annotated[
        str | None,
        typer.Option(
            "--report", metavar="[FILE]", help="Write it to FILE.md, .html or .json; bare: a file in the state folder."
        ),
    ] = None,
    send_test: Annotated[
        bool,
        typer.Option("--send-test", help="Trigger and resolve one marked event; this calls people as any alert does."),
    ] = False,
    probe: Annotated[
        str | None, typer.Option("--probe", metavar="live|ready", help="For containers: exit code 0 or 1, at once.")
    ] = None,
    watch: Annotated[
        float | None, typer.Option("--watch", metavar="SECONDS", min=1, help="Look again and again.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """How everything is, and what to do: exit code 0 well, 3 degraded, 1 failing.

    Without options: what can be asked at once, of the server and of this machine.
    """
    if context.invoked_subcommand is not None:
        return
    if probe is not None:
        from workers.probe import main as short_way

        raise typer.Exit(short_way([probe]))
    from workers.cli.health_looks import look, look_again

    if watch is not None:
        look_again("full" if full else "quick", watch)
    _told(look("full" if full else "quick", send_test=send_test), report, as_json=as_json)


@app.command()
def history(*, since: Since = None, as_json: JsonFlag = False) -> None:
    """How available it was, measured by the ledger: alerts delivered within the deadline of their severity, day by day."""
    from workers.cli.health_history import show_history

    show_history(span_since(since), as_json=as_json)


def _told(found: HealthReport, report: str | None, *, as_json: bool) -> None:
    path = _written(found, report) if report is not None else None
    if as_json:
        answer(found.model_dump_json(indent=2))
    elif path is None:
        show(found)
    else:
        say(f"Tocsin is {_words(found)}.")
        answer(str(path))
    if found.status in ("fail", "warn"):
        raise typer.Exit(ExitCode.FAILED if found.status == "fail" else ExitCode.DEGRADED)


def show(found: HealthReport) -> None:
    """For a terminal: every line, what to do beneath those that are amiss."""
    from tasks.health.report_text import MARKS, groups, to_do

    lines = [line for _, some in groups(found.checks) for line in some]
    rows = [(MARKS[line.state], line.name, line.value, f"({line.limit})" if line.limit else "") for line in lines]
    answer_table(("", "WHAT", "FOUND", "WELL WOULD BE"), rows)
    for line in to_do(lines):
        answer(f"{MARKS[line.state]} {line.name}: {line.mend}")
    say(f"Tocsin is {_words(found)}.")


def _words(found: HealthReport) -> str:
    from tasks.health.report_text import WORDS, counted

    return f"{WORDS[found.status]}: {counted(found)}, in {found.took_seconds:.1f} s"


def _written(found: HealthReport, report: str) -> Path:
    from tasks.health.report_page import to_html
    from tasks.health.report_text import to_json, to_markdown
    from workers.cli.health_looks import state_dir

    path = state_dir() / "reports" / f"health-{found.at:%Y%m%dT%H%M%SZ}.html" if report == BARE else Path(report)
    writers = {".md": to_markdown, ".html": to_html, ".json": to_json}
    if path.suffix not in writers:
        raise CliError(f"a report ends in {', '.join(ENDINGS)}; {path} does not", ExitCode.USAGE)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(writers[path.suffix](found), "utf-8")
    draft.replace(path)
    return path.absolute()
