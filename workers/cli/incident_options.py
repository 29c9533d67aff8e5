"""Which incidents are meant, and how an action is asked for, as options say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import typer

from workers.cli.output import CliError, ExitCode
from workers.cli.spans import span_since

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workers.cli.incident_wiring import Desk

STATUSES = ("triggered", "acknowledged", "resolved")
URGENCIES = ("high", "low")

Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INCIDENT", help="PagerDuty's id, number or URL, or our dedup key (key:… if it looks like an id)."
    ),
]
Status = Annotated[list[str] | None, typer.Option(help="triggered, acknowledged or resolved; may be repeated.")]
Service = Annotated[
    list[str] | None,
    typer.Option("--service", "-s", help="By its name, here or in PagerDuty, or by PagerDuty's id; may be repeated."),
]
Urgency = Annotated[str | None, typer.Option(help="high or low.")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Created since: 30m, 2h, 7d ago, or an ISO time.")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Created before: likewise.")]
User = Annotated[list[str] | None, typer.Option(help="Assigned to: PagerDuty's id or e-mail address; may be repeated.")]
Team = Annotated[list[str] | None, typer.Option(help="Of a team: PagerDuty's id; may be repeated.")]
Key = Annotated[str | None, typer.Option(help="With this dedup key.")]
Note = Annotated[
    str, typer.Option("--note", "-n", metavar="TEXT", help="A note to leave on each; - reads it from stdin.")
]
Author = Annotated[str | None, typer.Option(help="Who asks for it, for Tocsin's record; you, if not given.")]
From = Annotated[
    str, typer.Option("--from", metavar="EMAIL", help="The PagerDuty user in whose name; else PAGERDUTY_FROM_EMAIL.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="List the incidents it would concern, and change nothing.")]
KeepTrying = Annotated[
    bool,
    typer.Option(
        "--keep-trying", help="While PagerDuty does not answer, let workers carry on (see: incidents actions)."
    ),
]
RequestId = Annotated[str, typer.Option(metavar="ID", help="Makes a repeat of this very command do nothing twice.")]


class Wanted(TypedDict, total=False):
    """The options of a filter as they were given."""

    status: list[str] | None
    service: list[str] | None
    urgency: str | None
    since: str | None
    until: str | None
    user: list[str] | None
    team: list[str] | None
    key: str | None


def says_anything(wanted: Wanted) -> bool:
    """Whether a filter was given at all."""
    return any(wanted.values())


def found_by(desk: Desk, usual: tuple[str, ...], wanted: Wanted) -> Iterator[dict[str, Any]]:
    """The incidents a filter means, newest first; of the `usual` statuses where it names none."""
    yield from desk.rest.incidents.list(**_filters(desk, wanted, usual), sort_by="created_at:desc")


def _filters(desk: Desk, wanted: Wanted, usual: tuple[str, ...]) -> dict[str, Any]:
    from tasks.utils.identifiers import wire_key

    statuses = _among(wanted.get("status"), STATUSES, "--status") or list(usual)
    urgency = wanted.get("urgency")
    key = wanted.get("key")
    return {
        "statuses": statuses,
        "urgencies": _among([urgency], URGENCIES, "--urgency") if urgency else list(URGENCIES),
        "service_ids": [service_id(desk, name) for name in wanted.get("service") or []],
        "user_ids": [user_id(desk, name) for name in wanted.get("user") or []],
        "team_ids": list(wanted.get("team") or []),
        "incident_key": wire_key(key) if key else None,
        **_span(wanted),
    }


def _span(wanted: Wanted) -> dict[str, Any]:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    back = {"since": span_since(wanted.get("since")), "until": span_since(wanted.get("until"))}
    if back["since"] is None and back["until"] is None:
        return {"date_range": "all"}
    return {name: now - span for name, span in back.items() if span is not None}


def service_id(desk: Desk, name: str) -> str:
    """PagerDuty's id of a service: of ours as its file says, else of one that is called so there, else the id itself."""
    place = desk.service.place_of(name)
    if not name or place != name or (name.isupper() and name not in desk.runtime.settings.services):
        return place
    found = [one for one in desk.rest.services.list(query=name) if str(one.get("name", "")).lower() == name.lower()]
    if len(found) == 1:
        return str(found[0]["id"])
    mend = f"write its pagerduty_service_id into services/{name}.yaml, or give PagerDuty's id"
    raise CliError(f"PagerDuty has {'no service' if not found else 'several services'} called {name!r}; {mend}")


def user_id(desk: Desk, name: str) -> str:
    """The id of a user, who may be named by the address of their e-mail."""
    if "@" not in name:
        return name
    for filters in ({"query": name}, {}):  # the query is about names; that it finds addresses too is not promised
        for user in desk.rest.users.list(**filters):
            if str(user.get("email", "")).lower() == name.lower():
                return str(user["id"])
    raise CliError(f"PagerDuty knows no user {name}; name one by id")


def _among(given: list[str] | None, known: tuple[str, ...], option: str) -> list[str]:
    for value in given or []:
        if value not in known:
            raise CliError(f"{option} {value}: use {', '.join(known)}", ExitCode.USAGE)
    return list(given or [])
