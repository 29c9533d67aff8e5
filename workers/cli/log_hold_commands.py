"""`tocsin logs hold …`: what must not be deleted, whatever its age."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.lazy import new_app
from workers.cli.output import JsonFlag, answer, answer_json, answer_table, say

app = new_app(help="Legal holds: add, list, release.", no_args_is_help=True)

Moment = Annotated[str | None, typer.Option(metavar="TIME", help="ISO time; local where it names no zone.")]


@app.callback()
def _holds() -> None:
    """Legal holds: add, list, release."""


@app.command()
def add(
    *,
    because: Annotated[str, typer.Option("--because", "-b", help="Why; whoever finds it in a year will read it.")],
    kind: Annotated[str | None, typer.Option("--class", "-c", help="Only this class; all, if not given.")] = None,
    service: Annotated[str | None, typer.Option("--service", "-s", help="Only what may tell of this service.")] = None,
    since: Moment = None,
    until: Moment = None,
    author: Annotated[str | None, typer.Option(help="Who asks for it; you, if not given.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep what fits all that is said, until the hold is released.

    tocsin logs hold add --service checkout --since 2026-03-01 --until 2026-04-01 --because "case 4711"
    """
    from getpass import getuser

    from tasks.logs.models import Scope
    from workers.cli.log_tables import class_of
    from workers.cli.spans import moment
    from workers.cli.wiring import shell_runtime

    scope = Scope(kind=class_of(kind), service=service, since=moment(since), until=moment(until))
    hold = shell_runtime().logs.holds.add(because, author or getuser(), scope)
    if as_json:
        answer_json(hold.model_dump(mode="json"))
    else:
        answer(hold.id)
        say(f"held; to end it: tocsin logs hold release {hold.id}")


@app.command("list")
def list_(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that were released, too.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """The holds in force."""
    from workers.cli.log_tables import HOLD_HEADERS, hold_row
    from workers.cli.wiring import shell_runtime

    holds = shell_runtime().logs.holds
    found = holds.all() if everything else holds.in_force()
    if as_json:
        answer_json([hold.model_dump(mode="json") for hold in found])
    else:
        answer_table(HOLD_HEADERS, [hold_row(hold) for hold in found])


@app.command()
def release(hold: Annotated[str, typer.Argument(metavar="HOLD")], *, as_json: JsonFlag = False) -> None:
    """End a hold: what it kept goes with the next clean-up."""
    from getpass import getuser

    from workers.cli.wiring import shell_runtime

    released = shell_runtime().logs.holds.release(hold, getuser())
    if as_json:
        answer_json(released.model_dump(mode="json"))
    else:
        answer(f"{released.id}: released by {released.released_by}")
