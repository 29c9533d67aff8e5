"""`tocsin alerts …`: page somebody from a shell, and see what became of it."""

from typing import Annotated, Literal

import typer

from workers.cli.lazy import new_app
from workers.cli.output import CliError, JsonFlag, answer, answer_json, answer_table, say
from workers.cli.spans import Since, span_since

app = new_app(help="Submit alerts, and see what became of them.", no_args_is_help=True)

Action = Literal["trigger", "acknowledge", "resolve"]
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
    action: Annotated[Action, typer.Option(help="What has happened to it.")] = "trigger",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is decided what becomes of them.")] = False,
    timeout: Annotated[float, typer.Option(help="Longest wait in seconds.", min=0.1)] = 60.0,
    as_json: JsonFlag = False,
) -> None:
    """Hand alerts to the workers; prints their event ids.

    From a file: tocsin alerts submit alerts.json

    From flags: tocsin alerts submit --service web --summary "disk full" --dedup-key disk-1
    """
    from workers.cli.alert_input import Flags, checked, from_file, from_flags

    flags = Flags(summary, severity, source, dedup_key, action)
    alerts, notes = checked(from_flags(flags) if file is None else from_file(file, flags), service)
    for note in notes:
        say(note)
    _hand_over(alerts, timeout if wait else None, as_json=as_json)


def _hand_over(alerts: list[dict[str, object]], timeout: float | None, *, as_json: bool) -> None:
    from workers.cli.alert_submission import send_all

    decisions = send_all(alerts, wait_seconds=timeout)
    if as_json:
        answer_json({"alerts": decisions})
    elif timeout is None:
        for decision in decisions:
            answer(str(decision["id"]))
    else:
        columns = ("id", "dedup_key", "state", "reason", "detail")
        answer_table([column.upper() for column in columns], [[d.get(c, "") for c in columns] for d in decisions])


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


@app.command()
def trail(
    event: Annotated[str, typer.Argument(metavar="EVENT_ID|DEDUP_KEY")],
    *,
    service: Annotated[str | None, typer.Option(help="Of this service only, where it is a dedup key.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """The story of one event, or of all events of a dedup key, step by step."""
    from workers.cli.wiring import shell_runtime

    audit = shell_runtime().audit
    story = audit.story(event)
    stories = {event: story} if story else {found: audit.story(found) for found in audit.find(event, service)}
    if not stories:
        raise CliError(f"Nothing is known of {event}. Which there are: tocsin alerts list --since 1d")
    if as_json:
        answer_json({event_id: [step.model_dump() for step in steps] for event_id, steps in stories.items()})
        return
    for event_id, steps in stories.items():
        answer("\n".join([event_id, *(f"  {step}" for step in steps)]))
