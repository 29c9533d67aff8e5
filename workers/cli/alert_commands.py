"""`tocsin alerts …`: page somebody from a shell, and see what became of it."""

from typing import Annotated, Literal

import typer

from workers.cli import silence_commands
from workers.cli.lazy import new_app
from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_json, answer_table, say
from workers.cli.spans import Since, moment, span_since

app = new_app(help="Submit alerts, silence them, and see what became of them.", no_args_is_help=True)
app.add_typer(silence_commands.app, name="silence")

Action = Literal["trigger", "acknowledge", "resolve", "change"]
Verdict = Literal["delivered", "merged", "suppressed", "dead", "pending", "broken"]


@app.command()
def submit(
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="JSON: one alert, a list, or one a line; - reads stdin."),
    ] = None,
    *,
    service: Annotated[str | None, typer.Option(help="Service the alerts are for.")] = None,
    summary: Annotated[str | None, typer.Option(help="What is wrong, in one line.")] = None,
    severity: Annotated[str, typer.Option(help="critical, error, warning or info.")] = "critical",
    source: Annotated[str | None, typer.Option(help="What it is wrong with; this host if not given.")] = None,
    dedup_key: Annotated[str | None, typer.Option(help="What makes two alerts the same one.")] = None,
    action: Annotated[Action, typer.Option(help="What has happened to it; a change event pages nobody.")] = "trigger",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is decided what becomes of them.")] = False,
    timeout: Annotated[float, typer.Option(help="Longest wait in seconds.", min=0.1)] = 60.0,
    as_json: JsonFlag = False,
) -> None:
    """Hand alerts to the workers; prints their event ids.

    While Redis is away they are kept on this machine and handed over later; --wait then ends with 75.

    From a file: tocsin alerts submit alerts.json

    From flags: tocsin alerts submit --service web --summary "disk full" --dedup-key disk-1
    """
    from workers.cli.alert_input import Flags, checked, from_file, from_flags

    flags = Flags(summary, severity, source, dedup_key, action)
    alerts, notes = checked(from_flags(flags) if file is None else from_file(file, flags), service)
    for note in notes:
        say(note)
    _hand_over(alerts, timeout if wait else None, as_json=as_json)


@app.command()
def explain(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="As for submit, or a body of Alertmanager's webhook; - reads stdin."),
    ],
    *,
    service: Annotated[str | None, typer.Option(help="Service the alerts are for.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="As if it were then, an ISO time; now if not given.")
    ] = None,
    why_not: Annotated[
        list[str] | None,
        typer.Option("--why-not", metavar="ROUTE", help="Why this route is not taken; may be repeated."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """What would become of alerts, and why; sends nothing.

    Routes with their reasons, channels, rules that hold back, repeats. Does without Redis; writes nothing either.

    tocsin alerts explain alert.json --why-not database --at 2026-01-31T03:00
    """
    from workers.cli.alert_explain import explain_file

    explain_file(file, service, at=moment(at), routes=why_not or [], as_json=as_json)


def _hand_over(alerts: list[dict[str, object]], timeout: float | None, *, as_json: bool) -> None:
    from workers.cli.alert_submission import send_all

    entries, is_spooled = send_all(alerts, wait_seconds=timeout)
    if as_json:
        answer_json({"alerts": entries})
    elif timeout is None or is_spooled:
        for entry in entries:
            answer(str(entry["id"]))
    else:
        columns = ("id", "dedup_key", "state", "reason", "detail")
        answer_table([column.upper() for column in columns], [[e.get(c, "") for c in columns] for e in entries])
    if is_spooled and timeout is not None:
        raise CliError("What becomes of them cannot be waited for while Redis is away.", ExitCode.TRY_LATER)


@app.command()
def drain(*, as_json: JsonFlag = False) -> None:
    """Hand over the alerts that were kept on this machine while Redis was away.

    A gateway does so by itself; exit code 75 while Redis is still away, 3 when something could not be read.
    """
    from workers.cli.alert_submission import drain_spool

    if not drain_spool(as_json=as_json):
        raise typer.Exit(ExitCode.DEGRADED)


@app.command("list")
def list_(
    *,
    since: Since = "1h",
    verdict: Annotated[Verdict | None, typer.Option(help="Only those.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """What became of each event of the last hour, or of --since."""
    from workers.cli.verdicts import show_verdicts

    show_verdicts(span_since(since), verdict, as_json=as_json)


@app.command("open")
def open_(
    *,
    service: Annotated[str | None, typer.Option(help="Of this service only.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """The alerts that are not resolved, newest news first, and what holds them back."""
    from workers.cli.wiring import shell_runtime

    found = [one for one in shell_runtime().current.unresolved() if service in (None, one.service)]
    if as_json:
        answer_json([one.model_dump() for one in found])
        return
    headers = ("SINCE", "SERVICE", "SEVERITY", "STATUS", "DEDUP KEY", "SUMMARY", "HELD BY")
    shown = [(f"{a.since.astimezone():%m-%d %H:%M:%S}" if a.since else "", a) for a in found]
    rows = [(since, a.service, a.severity, a.status, a.dedup_key, a.summary, a.held_by) for since, a in shown]
    answer_table(headers, rows)


@app.command()
def trail(
    event: Annotated[str, typer.Argument(metavar="EVENT_ID|DEDUP_KEY")],
    *,
    service: Annotated[str | None, typer.Option(help="Of this service only, where it is a dedup key.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """The story of one event, or of one alert by its dedup key: all its events on one time line, as far back as the archive goes."""
    from workers.cli.alert_trail import show_trail

    show_trail(event, service, as_json=as_json)
