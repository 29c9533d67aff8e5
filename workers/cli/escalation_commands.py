"""`tocsin escalations …`: who is called while nobody answers."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from workers.cli.lazy import new_app
from workers.cli.output import JsonFlag

app = new_app(help="Who is called while nobody answers: try policies out.", no_args_is_help=True)

Severity = Literal["critical", "error", "warning", "info"]


@app.callback()
def _escalations() -> None:
    """Who is called while nobody answers."""


@app.command()
def simulate(
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="A policy: the name of a file in policies/.")],
    *,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When the alert begins, an ISO time; now, if not given.")
    ] = None,
    severity: Annotated[Severity, typer.Option(help="How severe the alert is.")] = "critical",
    service: Annotated[str | None, typer.Option(help="Whose channels are meant: checks and names them.")] = None,
    zone: Annotated[
        str | None, typer.Option(help="Whose clock to show, such as Europe/Paris; that of the policy's first hours.")
    ] = None,
    chart: Annotated[bool, typer.Option("--chart", help="Draw it instead: a line for each step.")] = False,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it as a picture, into this file.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Who would be reached when, if nobody answered. Nothing is sent, and nothing needs to run.

    tocsin escalations simulate on-call --at 2026-12-24T17:50 --severity critical

    A TIME that names no zone is one of --zone.
    """
    from workers.cli.escalation_simulation import Wanted, show

    show(Wanted(policy, at, severity, service, zone), chart=chart, svg=svg, as_json=as_json)
