"""`tocsin incidents ack|resolve|snooze|note|reassign|merge|update|create`: what people do to incidents."""

from typing import Annotated, Literal

import typer

from workers.cli import incident_options as options
from workers.cli.incident_choice import Choice, on_incidents, text_of
from workers.cli.output import JsonFlag

OPEN = ("triggered", "acknowledged")
Users = Annotated[
    list[str] | None, typer.Option("--to", metavar="USER", help="PagerDuty's id or e-mail; may be repeated.")
]
Policy = Annotated[str, typer.Option("--policy", metavar="ID", help="An escalation policy, in place of users.")]
UrgencyValue = Annotated[str, typer.Option("--set-urgency", metavar="URGENCY", help="high or low.")]
Priority = Annotated[str, typer.Option("--priority", metavar="ID", help="A priority.")]


@on_incidents
def acknowledge(choice: Choice) -> None:
    """Acknowledge incidents.

    tocsin incidents ack PT4KHLK 1234 --note "on it". Of a filter: those that are triggered.
    """
    choice.act("acknowledge")


@on_incidents
def resolve(choice: Choice) -> None:
    """Resolve incidents.

    tocsin incidents resolve --service checkout --since 1h. Of a filter: those that are open.
    """
    choice.act("resolve", usual=OPEN)


@on_incidents
def snooze(
    choice: Choice,
    lasting: Annotated[str, typer.Option("--for", metavar="TIME", help="How long: 30m, 2h, 1d; 7d at most.")],
) -> None:
    """Keep incidents quiet for a while; then they trigger anew.

    tocsin incidents snooze PT4KHLK --for 2h
    """
    from workers.cli.spans import length

    choice.act("snooze", usual=OPEN, seconds=round(length(lasting).total_seconds()))


@on_incidents
def reassign(choice: Choice, to: Users = None, policy: Policy = "") -> None:
    """Give incidents to users or to an escalation policy.

    tocsin incidents reassign PT4KHLK --to ada@example.com
    """
    from workers.cli.incident_wiring import desk as new_desk

    desk = new_desk()
    users = [options.user_id(desk, name) for name in to or []]
    choice.act("reassign", desk, usual=OPEN, users=users, escalation_policy=policy)


@on_incidents
def merge(
    choice: Choice,
    into: Annotated[str, typer.Option("--into", metavar="INCIDENT", help="The one that takes the others in.")],
) -> None:
    """Merge incidents into another one; they are resolved.

    tocsin incidents merge 1235 1236 --into 1234
    """
    choice.act("merge", usual=OPEN, into=into)


@on_incidents
def update(
    choice: Choice,
    title: Annotated[str, typer.Option("--title", help="A new title.")] = "",
    set_urgency: UrgencyValue = "",
    priority: Priority = "",
    level: Annotated[int, typer.Option("--level", help="Escalate to this level of the policy.")] = 0,
    status_update: Annotated[
        str, typer.Option("--status-update", metavar="TEXT", help="News for those who have subscribed; - reads stdin.")
    ] = "",
) -> None:
    """Change incidents: title, urgency, priority or escalation level; or tell their subscribers the news."""
    choice.act(
        "update",
        usual=OPEN,
        title=title,
        urgency=set_urgency,
        priority=priority,
        escalation_level=level,
        status_update=text_of(status_update),
    )


@on_incidents
def note(choice: Choice) -> None:
    """Leave a note on incidents.

    tocsin incidents note PT4KHLK --note "the cable was loose"; --note - reads it from stdin.
    """
    choice.act("note", usual=OPEN)


def create(
    title: Annotated[str, typer.Argument(help="One line that says what is wrong.")],
    *,
    service: Annotated[
        str,
        typer.Option("--service", "-s", help="By its name or PagerDuty's id; else PAGERDUTY_SERVICE_ID."),
    ] = "",
    body: Annotated[str, typer.Option("--body", help="What it is about; - reads it from stdin.")] = "",
    key: Annotated[str, typer.Option("--key", help="There is only one open incident with it in its service.")] = "",
    urgency: Annotated[
        Literal["", "high", "low"], typer.Option("--urgency", help="high or low; the service's, if not given.")
    ] = "",
    priority: Priority = "",
    to: Users = None,
    policy: Policy = "",
    author: options.Author = None,
    sender: options.From = "",
    keep_trying: options.KeepTrying = False,
    request_id: options.RequestId = "",
    as_json: JsonFlag = False,
) -> None:
    """Create an incident.

    tocsin incidents create "Checkout is down" --service checkout --urgency high
    """
    from tasks.incidents.wishes import wish_of
    from workers.cli.incident_wiring import desk as new_desk

    desk = new_desk()
    choice = Choice(
        names=[],
        wanted={},
        note="",
        author=author,
        sender=sender,
        yes=True,
        dry_run=False,
        keep_trying=keep_trying,
        request_id=request_id,
        as_json=as_json,
    )
    wish = wish_of(
        "create",
        title=title,
        service=options.service_id(desk, service),
        body=text_of(body),
        key=key,
        urgency=urgency,
        priority=priority,
        users=[options.user_id(desk, name) for name in to or []],
        escalation_policy=policy,
        **choice.who(),
    )
    choice.carry_out(desk, wish)
