"""`tocsin alerts silence …`: hold alerts back for a while, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.lazy import new_app
from workers.cli.output import JsonFlag, answer, answer_json, answer_table, say
from workers.cli.spans import length, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.alerts.models import Silence, SilenceDraft

app = new_app(help="Silences and maintenance windows: add, preview, list, expire.", no_args_is_help=True)

Matchers = Annotated[
    list[str] | None, typer.Argument(metavar="MATCHER", help='Such as severity=~"warning|info", host=web1, team!=db.')
]
Services = Annotated[
    list[str] | None, typer.Option("--service", "-s", help="Only alerts of this service; may be repeated.")
]
Author = Annotated[str | None, typer.Option(help="Who asks for it; you, if not given.")]


@app.command()
def add(
    matchers: Matchers = None,
    *,
    services: Services = None,
    comment: Annotated[str, typer.Option("--comment", "-c", help="Why; whoever is on call next will read it.")],
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="How long: 30m, 2h, 1d; 1h, if neither is given.")
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="When it begins, as an ISO time; now, if not given.")
    ] = None,
    end: Annotated[str | None, typer.Option("--until", metavar="TIME", help="When it ends, in place of --for.")] = None,
    maintenance: Annotated[bool, typer.Option("--maintenance", help="Planned work: a maintenance window.")] = False,
    author: Author = None,
    as_json: JsonFlag = False,
) -> None:
    """Hold triggers back that match all the matchers; what still fires when it ends is delivered then.

    tocsin alerts silence add --service checkout severity=~"warning|info" --for 2h --comment "new payment provider"
    """
    from workers.cli.wiring import shell_runtime

    silences = shell_runtime().silences
    draft = _draft(matchers, services, lasting, begin, end)
    draft = draft.model_copy(
        update={"kind": "maintenance" if maintenance else "silence", "author": author or _user(), "comment": comment}
    )
    made = silences.create(draft)
    matched = silences.preview(draft).total
    say(f"{matched} open {'alert matches' if matched == 1 else 'alerts match'} it now; resolves always pass")
    if as_json:
        answer_json(made.model_dump(mode="json"))
    else:
        answer(made.id)
        say(
            f"{made.kind} until {made.ends_at.astimezone():%Y-%m-%d %H:%M %Z}; to end it: tocsin alerts silence expire {made.id}"
        )


@app.command()
def preview(matchers: Matchers = None, *, services: Services = None, as_json: JsonFlag = False) -> None:
    """Which alerts that are open now a silence would match; changes nothing."""
    from workers.cli.wiring import shell_runtime

    found = shell_runtime().silences.preview(_draft(matchers, services))
    if as_json:
        answer_json(found.model_dump(mode="json"))
        return
    headers = ("SERVICE", "DEDUP KEY", "STATUS", "SEVERITY", "SUMMARY", "HELD BY")
    rows = [(a.service, a.dedup_key, a.status, a.severity, a.summary, a.held_by) for a in found.alerts]
    answer_table(headers, rows)
    if found.total > len(found.alerts):
        say(f"… {found.total} in all")


@app.command("list")
def list_(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that ended in the last week, too.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """The silences and maintenance windows in force or to come."""
    from workers.cli.wiring import shell_runtime

    found = shell_runtime().silences.list(include_ended=everything)
    if as_json:
        answer_json([silence.model_dump(mode="json") for silence in found])
        return
    headers = ("ID", "KIND", "STATE", "BEGINS", "ENDS", "HELD", "MATCHES", "AUTHOR", "COMMENT")
    answer_table(headers, [_row(silence) for silence in found])


@app.command()
def expire(
    ids: Annotated[list[str], typer.Argument(metavar="ID")], *, author: Author = None, as_json: JsonFlag = False
) -> None:
    """End silences now; what they held back and still fires is delivered at once."""
    from workers.cli.wiring import shell_runtime

    silences = shell_runtime().silences
    known = [silences.get(one).id for one in ids]  # all or none: a slip in the last one must not hide what was done
    ended: Sequence[Silence] = [silences.expire(one, author or _user()) for one in known]
    if as_json:
        answer_json([silence.model_dump(mode="json") for silence in ended])
        return
    for silence in ended:
        answer(f"{silence.id} ended; it held back {silence.held} {'alert' if silence.held == 1 else 'alerts'}")


def _draft(
    matchers: list[str] | None,
    services: list[str] | None,
    lasting: str | None = None,
    begin: str | None = None,
    end: str | None = None,
) -> SilenceDraft:
    from tasks.alerts.models import SilenceDraft

    if lasting and end:
        raise typer.BadParameter("--for and --until both say when it ends; give one of them")

    return SilenceDraft(
        matchers=matchers or [],
        services=services or [],
        starts_at=moment(begin),
        ends_at=moment(end),
        duration_seconds=None if end else length(lasting or "1h").total_seconds(),
    )


def _user() -> str:
    from getpass import getuser

    return getuser()


def _row(silence: Silence) -> tuple[str, ...]:
    meant = [*(f"service={name}" for name in silence.services), *silence.matchers]
    begins, ends = (f"{time.astimezone():%m-%d %H:%M}" for time in (silence.starts_at, silence.ends_at))
    held = str(silence.held)
    return silence.id, silence.kind, silence.state, begins, ends, held, " ".join(meant), silence.author, silence.comment
