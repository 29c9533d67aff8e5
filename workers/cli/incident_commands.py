"""`tocsin incidents …`: what is open in PagerDuty, and what people do about it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from workers.cli import incident_actions as actions
from workers.cli import incident_options as options
from workers.cli.lazy import new_app
from workers.cli.output import JsonFlag, answer, answer_json, say
from workers.cli.sync_commands import sync

app = new_app(help="PagerDuty's incidents: see them, act on them, keep their story.", no_args_is_help=True)

Incident = Annotated[str, typer.Argument(metavar="INCIDENT", help="PagerDuty's id, number or URL, or our dedup key.")]


@app.command("list")
def list_(
    *,
    status: options.Status = None,
    service: options.Service = None,
    urgency: options.Urgency = None,
    since: options.Since = None,
    until: options.Until = None,
    user: options.User = None,
    team: options.Team = None,
    key: options.Key = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 100,
    as_json: JsonFlag = False,
) -> None:
    """The open incidents, newest first; resolved ones with --status resolved."""
    from itertools import islice

    from workers.cli.incident_tables import show_incidents
    from workers.cli.incident_wiring import desk

    wanted: options.Wanted = {
        "status": status, "service": service, "urgency": urgency, "since": since,
        "until": until, "user": user, "team": team, "key": key,
    }  # fmt: skip
    incidents = options.found_by(desk(), actions.OPEN, wanted)
    show_incidents(list(islice(incidents, limit)), as_json=as_json)
    if next(incidents, None) is not None:
        say(f"… there are more; --limit {limit * 10} shows more of them")


@app.command()
def show(incident: Incident, *, as_json: JsonFlag = False) -> None:
    """One incident whole: its alerts, notes and log, and which alert of Tocsin's it belongs to."""
    from workers.cli.incident_views import show_whole
    from workers.cli.incident_wiring import desk

    show_whole(desk(), incident, as_json=as_json)


@app.command("open")
def open_(
    incident: Incident,
    *,
    browser: Annotated[bool, typer.Option("--browser", "-b", help="Open it in a browser, too.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """The address of an incident's page in PagerDuty."""
    from tasks.incidents.names import Names
    from workers.cli.incident_wiring import desk

    url = str(Names(desk().rest).whole(incident).get("html_url") or "")
    answer_json({"html_url": url}) if as_json else answer(url)
    if browser and (not url.startswith(("https://", "http://")) or typer.launch(url) != 0):
        say("no browser could be opened")


@app.command()
def export(
    incident: Incident,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to write it; else it is printed.")] = None,
    *,
    format_: Annotated[
        Literal["", "md", "json"], typer.Option("--format", "-f", help="md or json; by FILE's ending, if not given.")
    ] = "",
) -> None:
    """The story of an incident in the order of time: its log, notes and alerts, and what Tocsin did. For post-mortems."""
    from workers.cli.incident_views import write_story
    from workers.cli.incident_wiring import desk

    kind = format_ or ("json" if file is not None and file.suffix == ".json" else "md")
    write_story(desk(), incident, kind, file)


@app.command("actions")
def actions_(
    request_id: Annotated[
        str | None, typer.Argument(metavar="REQUEST_ID", help="One of them, with an answer for each incident.")
    ] = None,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """What tasks and people asked to be done to incidents: who, when, and what came of it. What is still tried comes first."""
    from workers.cli.incident_views import show_action, show_actions
    from workers.cli.incident_wiring import desk

    rows = desk(needs_redis=True).runtime.incidents.rows
    if request_id:
        show_action(rows.view(request_id), request_id, as_json=as_json)
    else:
        show_actions(list(rows.list(limit=limit, failed_only=failed)), as_json=as_json)


app.command()(sync)
for name, command in {
    "ack": actions.acknowledge,
    "resolve": actions.resolve,
    "snooze": actions.snooze,
    "note": actions.note,
    "reassign": actions.reassign,
    "merge": actions.merge,
    "update": actions.update,
    "create": actions.create,
}.items():
    app.command(name)(command)
app.command("acknowledge", hidden=True)(actions.acknowledge)
