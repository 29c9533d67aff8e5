"""`tocsin notifications …`: what could not be delivered, what waits and why, and how messages look."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli import breaker_commands
from workers.cli.lazy import new_app
from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_fields, answer_json, answer_table, say
from workers.cli.spans import Since, span_since

if TYPE_CHECKING:
    from tasks.notifications.models import GroupView
    from tasks.utils.breakers import LimitView

app = new_app(help="Dead letters, groups, breakers, limits, and how messages look.", no_args_is_help=True)
app.add_typer(breaker_commands.app, name="breakers")


@app.command()
def dead_letters(*, since: Since = None, as_json: JsonFlag = False) -> None:
    """Every alert that could not be delivered, and why. One of them whole: tocsin notifications show EVENT_ID."""
    from workers.cli.verdicts import show_verdicts

    show_verdicts(span_since(since), "dead", as_json=as_json)


@app.command()
def show(event_id: Annotated[str, typer.Argument(metavar="EVENT_ID")], *, as_json: JsonFlag = False) -> None:
    """One dead letter with the alert itself. Its story: tocsin alerts trail EVENT_ID."""
    from workers.cli.wiring import shell_runtime

    letter = shell_runtime().dead_letters.get(event_id)
    if as_json:
        answer_json(letter.model_dump(mode="json"))
        return
    answer_fields({**letter.model_dump(exclude={"alert", "raw"})})
    answer_json(letter.alert) if letter.alert is not None else answer(letter.raw)


@app.command()
def drop(
    event_id: Annotated[str, typer.Argument(metavar="EVENT_ID")],
    *,
    comment: Annotated[str, typer.Option(help="Why it is given up; stands in the ledger.")],
    author: Annotated[str | None, typer.Option(help="Who says so; you, if not given.")] = None,
) -> None:
    """Give a dead letter up for good: it counts as suppressed by the rule `dropped`, and cannot be replayed."""
    import getpass

    from workers.cli.wiring import shell_runtime

    if not comment.strip():
        raise CliError("Say why with --comment; whoever reads the ledger later will ask.", ExitCode.USAGE)
    shell_runtime().dead_letters.drop(event_id, author or getpass.getuser(), comment)
    answer(event_id)


@app.command()
def replay(
    event_ids: Annotated[list[str] | None, typer.Argument(metavar="EVENT_ID")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter there is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --all: do not ask for confirmation.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Put dead letters back to be decided on again; mend first what killed them."""
    from workers.cli.wiring import shell_runtime

    if bool(event_ids) == everything:
        raise CliError("Give the event ids of dead letters, or --all.", ExitCode.USAGE)
    report = shell_runtime().delivery.replay(event_ids or _all_dead(confirmed=yes))
    for event_id, refusal in report.refused.items():
        say(f"{event_id} {refusal}")
    if as_json:
        answer_json(report.model_dump())
    else:
        answer("\n".join(report.replayed) or "nothing to replay")
    if report.refused:
        raise typer.Exit(ExitCode.FAILED if not report.replayed else ExitCode.DEGRADED)


@app.command()
def groups(*, as_json: JsonFlag = False) -> None:
    """Alerts that are told together: what of them waits, and until when."""
    from workers.cli.wiring import shell_runtime

    found = shell_runtime().groups.list()
    if as_json:
        answer_json({"groups": [group.model_dump(mode="json") for group in found]})
    elif found:
        answer_table(("destination", "in common", "open", "waiting", "next message"), [_group(one) for one in found])
    else:
        answer("no group has anything to tell")


def _group(one: "GroupView") -> tuple[object, ...]:
    common = ", ".join(f"{name}={value}" for name, value in one.labels.items()) or "(all)"
    due = f"{one.due_at:%H:%M:%S} UTC" + (", held up" if one.is_held_up else "")
    return one.destination, common, one.open, one.waiting, due


@app.command()
def limits(*, as_json: JsonFlag = False) -> None:
    """How fast others may be called, and how much of that is left."""
    from workers.cli.wiring import shell_runtime

    found = shell_runtime().limits.list()
    if as_json:
        answer_json({"limits": [limit.model_dump(mode="json") for limit in found]})
    elif found:
        answer_table(("LIMIT", "ONE EVERY", "AT ONCE", "LEFT", "RESTS UNTIL"), [_limit(one) for one in found])
    else:
        answer("no limit was used so far")


def _limit(one: "LimitView") -> tuple[object, ...]:
    rests = f"{one.rests_until.astimezone():%H:%M:%S}" if one.rests_until else ""
    return one.name, f"{one.interval_ms:g} ms", one.burst, one.left, rests


@app.command()
def preview(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="An Events v2 alert, a list of them, or a bundle; - = stdin.")
    ],
    *,
    channel: Annotated[
        str, typer.Option(help="pagerduty, slack, teams, email, webhook, or the name of a channel of the service.")
    ],
    locale: Annotated[str | None, typer.Option(help="en or fr. Default: the channel's, else en.")] = None,
    template: Annotated[
        str | None, typer.Option(help="Name of a template. Default: the channel's, else the kind's.")
    ] = None,
    service: Annotated[str | None, typer.Option(help="Service of alerts that name none.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the HTML of a mail to this file.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Print a message as people would read it; sends nothing, and exits with 3 where a template is broken."""
    from workers.cli.notification_preview import Wish, preview

    if locale not in (None, "en", "fr"):
        raise CliError(f"There is no language {locale!r}; known: en, fr.", ExitCode.USAGE)
    preview(file, Wish(channel, locale, template, service), html, as_json=as_json)


def _all_dead(*, confirmed: bool) -> list[str]:
    from workers.cli.verdicts import verdicts

    dead = [one.event_id for one in verdicts(None, "dead")]
    if dead and not confirmed:
        count = f"{len(dead)} dead letter{'s' * (len(dead) > 1)}"
        message = f"This puts back {count}; people may be paged. If you mean it, add --yes."
        raise CliError(message, ExitCode.NEEDS_CONFIRMATION)
    return dead
