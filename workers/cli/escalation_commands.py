"""`tocsin escalations …`: who is called while nobody answers; see it, pause it, go on, cut it short, try policies out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from workers.cli.lazy import new_app
from workers.cli.output import CliError, JsonFlag, answer, answer_fields, answer_json, answer_table, say
from workers.cli.spans import length

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tasks.escalations.desk import EscalationDesk
    from tasks.escalations.models import ChangeReport, EscalationView

app = new_app(
    help="Who is called while nobody answers: see it, change its course, try policies out.", no_args_is_help=True
)

Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Dedup keys, or ids as the list has them.")]
Service = Annotated[str, typer.Option("--service", "-s", help="Only alerts of this service.")]
T = TypeVar("T")
Severity = Literal["critical", "error", "warning", "info"]
HEADERS = ("SERVICE", "DEDUP KEY", "POLICY", "STATE", "TAKEN", "NEXT", "DUE", "ID")


@app.command("list")
def list_(
    *,
    service: Service = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the next due first.")] = 100,
    as_json: JsonFlag = False,
) -> None:
    """Escalations that live: those that go on by themselves, the next due first, then those that wait for somebody."""
    found = _desk().living(limit=limit, service=service)
    if as_json:
        answer_json([one.model_dump(mode="json") for one in found])
    elif found:
        answer_table(HEADERS, [_row(one) for one in found])
    else:
        say("nothing escalates")


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME")], *, service: Service = "", as_json: JsonFlag = False
) -> None:
    """One escalation, living or over: how it stands, whom its next step reaches, and its story."""
    from workers.cli.wiring import shell_runtime

    runtime = shell_runtime()
    for one in _known(lambda: runtime.escalations.desk.show(name, service)):
        story = [str(step) for step in runtime.audit.story(one.id)]
        if as_json:
            answer_json({**one.model_dump(mode="json"), "story": story})
            continue
        fields = one.model_dump(exclude={"reaches", "late_seconds", "uid"})
        answer_fields({**fields, "reaches": ", ".join(one.reaches), "late": _late(one)})
        answer("\n".join(f"  {step}" for step in story))


@app.command()
def pause(
    names: Names,
    *,
    service: Service = "",
    lasting: Annotated[str, typer.Option("--for", metavar="TIME", help="How long: 30m, 2h; else until resumed.")] = "",
    author: Annotated[str, typer.Option(help="Who asks for it; you, if not given.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Let escalations wait; what was left of the time to the next step is left when they go on."""
    import getpass

    seconds = length(lasting).total_seconds() if lasting else 0
    by = author or getpass.getuser()
    _tell("wait now", lambda desk: desk.pause(names, service, by=by, seconds=seconds), as_json=as_json)


@app.command()
def resume(names: Names, *, service: Service = "", as_json: JsonFlag = False) -> None:
    """Let escalations that wait go on, also those of acknowledged alerts."""
    _tell("go on", lambda desk: desk.resume(names, service), as_json=as_json)


@app.command()
def skip(names: Names, *, service: Service = "", as_json: JsonFlag = False) -> None:
    """Do not wait any longer: the next step is taken now."""
    _tell("take their next step now", lambda desk: desk.skip(names, service), as_json=as_json)


@app.command()
def cancel(
    names: Names,
    *,
    service: Service = "",
    reason: Annotated[str, typer.Option(help="One word for the record.")] = "by_hand",
    as_json: JsonFlag = False,
) -> None:
    """End escalations; their alerts stay as they are, and what was sent stays sent."""
    _tell("are over", lambda desk: desk.cancel(names, service, reason=reason), as_json=as_json)


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


def _desk() -> "EscalationDesk":
    from workers.cli.wiring import shell_runtime

    return shell_runtime().escalations.desk


def _tell(done: str, change: "Callable[[EscalationDesk], ChangeReport]", *, as_json: bool) -> None:
    report = _known(lambda: change(_desk()))
    if as_json:
        answer_json(report.model_dump())
    else:
        answer(f"{len(report.changed)} of {len(report.changed) + len(report.unchanged)} {done}")
    if not report.changed:
        raise CliError("nothing was changed: they are over, or stand so already; see `tocsin escalations show NAME`")


def _known(ask: "Callable[[], T]") -> "T":
    from tasks.escalations.desk import UnknownEscalationError

    try:
        return ask()
    except UnknownEscalationError as error:
        raise CliError(str(error)) from None


def _row(one: "EscalationView") -> "Sequence[object]":
    due = f"{one.due_at:%Y-%m-%d %H:%M:%S %Z}" if one.due_at else "when somebody says so"
    return (one.service, one.dedup_key, one.policy, _state(one), one.taken, one.next_step, due + _late(one), one.id)


def _state(one: "EscalationView") -> str:
    return f"{one.state} ({one.reason})" if one.reason and one.reason != one.state else one.state


def _late(one: "EscalationView") -> str:
    return f" ({one.late_seconds:.0f} s late)" if one.late_seconds >= 1 else ""
