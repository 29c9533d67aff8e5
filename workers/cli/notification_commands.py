"""`tocsin notifications …`: what could not be delivered, what waits and why, and how messages look."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli import breaker_commands
from workers.cli.lazy import new_app
from workers.cli.letter_commands import dead_letters, drop, purge, replay, show
from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_json, answer_table
from workers.cli.own_commands import own
from workers.cli.receipt_commands import receipts

if TYPE_CHECKING:
    from tasks.notifications.models import BudgetView, GroupView
    from tasks.utils.breakers import LimitView

app = new_app(help="Dead letters, groups, breakers, limits, and how messages look.", no_args_is_help=True)
app.add_typer(breaker_commands.app, name="breakers")


for command in (dead_letters, show, drop, replay, purge, own, receipts):
    app.command()(command)


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
    """How fast others may be called, how much of that is left, and who waits for PagerDuty's limit until when."""
    from workers.cli.wiring import shell_runtime

    runtime = shell_runtime()
    found, keys = runtime.limits.list(), runtime.budgets.list()
    if as_json:
        answer_json(
            {
                "limits": [one.model_dump(mode="json") for one in found],
                "keys": [one.model_dump(mode="json") for one in keys],
            }
        )
        return
    if keys:
        answer_table(("KEY", "USED BY", "A MINUTE", "SENT", "WAITING", "THROUGH AT"), [_budget(one) for one in keys])
    if found:
        answer_table(("LIMIT", "ONE EVERY", "AT ONCE", "LEFT", "RESTS UNTIL"), [_limit(one) for one in found])
    if not keys and not found:
        answer("no limit was used so far")


def _budget(one: "BudgetView") -> tuple[object, ...]:
    through = f"{one.through_at.astimezone():%H:%M:%S}" if one.through_at else ""
    return one.key_id, ", ".join(one.used_by), one.limit, one.used, one.waiting, through


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
