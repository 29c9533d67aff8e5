"""`tocsin schedules …`: what runs when, how it went, and what rests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.lazy import new_app
from workers.cli.output import JsonFlag, answer, answer_json, answer_table, say

if TYPE_CHECKING:
    from datetime import datetime

app = new_app(help="What runs when: list, show, run, pause, resume.", no_args_is_help=True)


def _complete(incomplete: str) -> list[str]:
    from schedules.beat import ENTRIES

    return [name for name in ENTRIES if name.startswith(incomplete)]


EntryName = Annotated[
    str, typer.Argument(metavar="ENTRY", help="Such as ledger-seal; `list` names them.", autocompletion=_complete)
]


@app.callback()
def _schedules() -> None:
    """What runs when: list, show, run, pause, resume."""


@app.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """Every scheduled task: when it runs, how its last run went, how late that was, when it is due next (all in UTC)."""
    from redis import ConnectionError as AwayError

    from workers.cli.schedule_tables import HEADERS, row
    from workers.cli.schedules import Shell, plan

    try:
        found = Shell().views()
    except AwayError:
        found = plan()
        say("Redis does not answer: how the last runs went, and what rests, is not known")
    if as_json:
        answer_json([view.model_dump(mode="json") for view in found])
        return
    answer_table(HEADERS, [row(view) for view in found])
    for view in found:
        if view.pause:
            say(f"{view.entry} rests: {view.pause.why} ({view.pause.by})")


@app.command()
def show(entry: EntryName, *, as_json: JsonFlag = False) -> None:
    """One scheduled task: all that is known of it, and its last runs."""
    from workers.cli.schedule_tables import RUN_HEADERS, fields, run_row
    from workers.cli.schedules import Shell

    shell = Shell()
    view, runs = shell.view(entry), shell.runs(entry)
    if as_json:
        answer_json({**view.model_dump(mode="json"), "runs": [run.model_dump(mode="json") for run in runs]})
        return
    fields(view)
    if runs:
        answer("")
        answer_table(RUN_HEADERS, [run_row(run) for run in runs[:20]])


@app.command()
def run(
    entry: EntryName,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the answer and print it.")] = False,
    timeout: Annotated[float, typer.Option(help="Longest wait in seconds.", min=0.1)] = 600.0,
    as_json: JsonFlag = False,
) -> None:
    """Let the workers run one now, with the arguments of the schedule, also while it rests; its times stay as they are."""
    from workers.cli.schedules import Shell
    from workers.cli.task_calls import wait_for

    task_id = Shell().run(entry)
    if wait:
        wait_for(task_id, timeout_seconds=timeout).print(as_json=as_json)
    elif as_json:
        answer_json({"task_id": task_id, "entry": entry})
    else:
        answer(task_id)
        say(f"Sent. What became of it: tocsin task status {task_id}, or tocsin schedules show {entry}")


@app.command()
def pause(
    entries: Annotated[list[str], typer.Argument(metavar="ENTRY", autocompletion=_complete)],
    *,
    because: Annotated[str, typer.Option("--because", "-b", help="Why; whoever is on call next will read it.")],
    lasting: Annotated[str | None, typer.Option("--for", metavar="TIME", help="How long: 30m, 2h, 1d.")] = None,
    end: Annotated[str | None, typer.Option("--until", metavar="TIME", help="When it ends, as an ISO time.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Let scheduled tasks rest: until they are resumed, or for a while. Runs that are due meanwhile are skipped for good."""
    from workers.cli.schedules import Shell, end_of_pause

    shell = Shell()
    _answer_rest(shell, entries, shell.pause(entries, because, end_of_pause(lasting, end)), as_json=as_json)


@app.command()
def resume(
    entries: Annotated[list[str], typer.Argument(metavar="ENTRY", autocompletion=_complete)],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Let scheduled tasks run again, from their next time on."""
    from workers.cli.schedules import Shell

    shell = Shell()
    for entry in shell.resume(entries):
        say(f"{entry} did not rest")
    _answer_rest(shell, entries, None, as_json=as_json)


def _answer_rest(shell: Shell, entries: list[str], until: datetime | None, *, as_json: bool) -> None:
    found = [view for view in shell.views() if view.entry in entries]
    if as_json:
        answer_json([view.model_dump(mode="json") for view in found])
        return
    for view in found:
        if not view.pause:
            answer(f"{view.entry}: runs; due next at {view.next_due:%Y-%m-%d %H:%M} UTC")
        elif until:
            answer(f"{view.entry}: rests until {until:%Y-%m-%d %H:%M:%S} UTC")
        else:
            answer(f"{view.entry}: rests until `tocsin schedules resume {view.entry}`")


if TYPE_CHECKING:
    from workers.cli.schedules import Shell
