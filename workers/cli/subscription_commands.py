"""`tocsin webhooks create`, `list`, `enable`, `test`, `delete`, `check`, `catch-up`: what PagerDuty tells Tocsin, and how."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_fields, answer_json, answer_table, say
from workers.cli.spans import Since, span_since

if TYPE_CHECKING:
    from tasks.webhooks.models import SubscriptionView
    from tasks.webhooks.subscriptions import Subscriptions

SubscriptionId = Annotated[
    str, typer.Argument(metavar="ID", help="Of the subscription; `tocsin webhooks list` shows it.")
]


def create(
    url: Annotated[
        str | None,
        typer.Argument(metavar="URL", help="Where PagerDuty reaches the gateway; pagerduty.webhook_url if not given."),
    ] = None,
    *,
    service: Annotated[str, typer.Option(metavar="ID", help="Only incidents of this PagerDuty service.")] = "",
    team: Annotated[str, typer.Option(metavar="ID", help="Only incidents of this team's services.")] = "",
    description: Annotated[str, typer.Option(help="What people read of it in PagerDuty.")] = "",
    secret_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write its secret there, for PAGERDUTY_WEBHOOK_SECRET_FILE.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Have PagerDuty tell Tocsin what becomes of incidents; the secret that signs it is shown this once.

    With --secret-file it is not shown: the file, which only its owner may read, gets it; what is in it is replaced.
    """
    from workers.cli.wiring import shell_runtime

    runtime = shell_runtime()
    where = url or runtime.settings.pagerduty.webhook_url
    if not where:
        raise CliError("Say where PagerDuty reaches the gateway: an URL, or pagerduty.webhook_url.", ExitCode.USAGE)
    if service and team:
        raise CliError("A subscription is for one service or one team: give --service or --team.", ExitCode.USAGE)
    if secret_file is not None:
        _check_place(secret_file)
    made = runtime.webhooks.subscriptions.create(where, service_id=service, team_id=team, description=description)
    secret = made.secret.get_secret_value()
    if secret_file is not None:
        _write_secret(secret_file, secret)
        say(f"Its secret is in {secret_file}; set PAGERDUTY_WEBHOOK_SECRET_FILE to that.")
    shown = {} if secret_file is not None else {"secret": secret}
    if as_json:
        answer_json({**made.subscription.model_dump(mode="json"), **shown})
        return
    answer_fields({"id": made.subscription.id, "url": made.subscription.url, "for": made.subscription.filter, **shown})
    if shown:
        say("The secret is never shown again: set PAGERDUTY_WEBHOOK_SECRET to it now.")
    say(f"Try it: tocsin webhooks test {made.subscription.id}")


def list_(*, as_json: JsonFlag = False) -> None:
    """Every webhook subscription of the account: ours, whether they deliver."""
    found = _subscriptions().list()
    if as_json:
        answer_json([one.model_dump(mode="json") for one in found])
        return
    rows = [(one.id, "yes" if one.is_ours else "", _state(one), one.filter, one.url) for one in found]
    answer_table(("ID", "OURS", "STATE", "FOR", "DELIVERS TO"), rows)


def enable(subscription: SubscriptionId, *, as_json: JsonFlag = False) -> None:
    """Have a subscription deliver again that PagerDuty has disabled after failed deliveries."""
    one = _subscriptions().enable(subscription)
    if as_json:
        answer_json(one.model_dump(mode="json"))
    else:
        answer(f"{one.id} is {_state(one)}. What it has not told meanwhile: tocsin webhooks catch-up")


def test(subscription: SubscriptionId) -> None:
    """Have PagerDuty send a ping; the gateway's log and `tocsin_gateway_alerts` show it."""
    _subscriptions().test(subscription)
    answer("PagerDuty sends a ping now.")


def delete(subscription: SubscriptionId) -> None:
    """Remove a subscription; what its secret signs should not be taken any more: strike the secret off too."""
    _subscriptions().delete(subscription)
    answer(f"{subscription} is deleted.")


def check(*, as_json: JsonFlag = False) -> None:
    """Look whether PagerDuty has disabled our subscriptions, and enable them again; every five minutes a task does it.

    Exit code 3 if something is wrong, or nobody could look.
    """
    report = _subscriptions().check()
    if as_json:
        answer_json(report.model_dump(mode="json"))
    else:
        answer(f"{report.subscriptions} subscriptions deliver to Tocsin.")
        for one in report.enabled:
            say(f"{one} was disabled and is enabled again; what it has not told: tocsin webhooks catch-up")
        for one in report.inactive:
            say(f"{one} is switched off.")
        if report.missing:
            say(report.missing)
    if report.missing or report.enabled or report.inactive:
        raise typer.Exit(ExitCode.DEGRADED)


def catch_up(*, since: Since = None, as_json: JsonFlag = False) -> None:
    """Fetch what happened to incidents and no webhook told: since it was done last, or for so long back.

    Exit code 75 if PagerDuty did not tell all of it.
    """
    from workers.cli.wiring import shell_runtime

    span = span_since(since) if since else None
    report = shell_runtime().webhooks.catch_up.run(span.total_seconds() if span else None)
    if as_json:
        answer_json(report.model_dump(mode="json"))
    else:
        answer(f"{report.entries} log entries read, {report.changes} changes of alerts.")
        if report.missing:
            say(report.missing)
    if report.missing:
        raise typer.Exit(ExitCode.TRY_LATER)


def install(app: typer.Typer) -> None:
    """Add these verbs to `tocsin webhooks`."""
    app.command()(create)
    app.command("list")(list_)
    app.command()(enable)
    app.command()(test)
    app.command()(delete)
    app.command()(check)
    app.command("catch-up")(catch_up)


def _subscriptions() -> Subscriptions:
    from workers.cli.wiring import shell_runtime

    return shell_runtime().webhooks.subscriptions


def _state(one: SubscriptionView) -> str:
    if one.is_disabled:
        return "disabled"
    return "on" if one.is_active else "off"


def _check_place(file: Path) -> None:
    """A secret that cannot be kept must not be made: it is shown only once."""
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK) or file.is_dir():
        raise CliError(f"{file} cannot be written; name a file in a folder that exists and may be written.")


def _write_secret(file: Path, secret: str) -> None:
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as writer:
        writer.write(secret + "\n")
    fresh.replace(file)
