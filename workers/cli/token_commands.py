"""`tocsin tokens …`: access to the HTTP API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workers.cli.lazy import new_app
from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_fields, answer_json, say

if TYPE_CHECKING:
    from datetime import timedelta

    from config.models import Settings
    from tasks.tokens.service import AccessTokens

app = new_app(help="Issue and read access tokens of the HTTP API.", no_args_is_help=True)

Role = Literal["viewer", "responder", "operator", "admin"]


@app.command()
def issue(
    *,
    subject: Annotated[str, typer.Option(help="Who will use it; stands as author beside what it changes.")],
    role: Annotated[Role | None, typer.Option(help="Shorthand for a set of scopes: viewer, responder, …")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="One scope, such as alerts:write; may be repeated.")] = None,
    lifetime: Annotated[str | None, typer.Option(help="Such as 15m, 8h or 7d, if not the configured one.")] = None,
) -> None:
    """Print a token. It cannot be called back: keep it like a password, and its lifetime short.

    curl -H "Authorization: Bearer $(tocsin tokens issue --role viewer --subject me)" http://127.0.0.1:8080/api/v1/alerts
    """
    from config.values import format_duration
    from tasks.tokens.scopes import scopes_of
    from tasks.utils.error_handler import PermanentError
    from workers.cli.connection import current_settings

    if role is None and not scope:
        raise CliError("Say what it allows: --role viewer, responder, operator or admin, or --scope.", ExitCode.USAGE)
    settings = current_settings()
    span = settings.api.token_lifetime if lifetime is None else _span(lifetime)
    try:
        token = _tokens(settings).issue(subject, scopes_of(role, scope or ()), span)
    except PermanentError as error:
        raise CliError(str(error), ExitCode.USAGE) from None
    answer(token)
    say(f"For {subject}, valid for {format_duration(span)}. What it says: tocsin tokens check -")


@app.command()
def check(
    text: Annotated[str, typer.Argument(metavar="TOKEN|-", help="- reads stdin, which no list of processes shows.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Say what a token allows, whom and until when; exit code 1 if the gateway would refuse it."""
    import sys

    from workers.cli.connection import current_settings

    said = _tokens(current_settings()).check((sys.stdin.read() if text == "-" else text).strip())
    if as_json:
        answer_json(said.model_dump(mode="json"))
    else:
        answer_fields({**said.model_dump(), "scopes": " ".join(said.scopes)})


def _tokens(settings: Settings) -> AccessTokens:
    from tasks.tokens.service import AccessTokens, NoSecretError
    from tasks.tokens.wiring import token_rules

    try:
        return AccessTokens(token_rules(settings))
    except NoSecretError as error:
        raise CliError(str(error), ExitCode.BAD_CONFIG) from None


def _span(text: str) -> timedelta:
    from config.errors import UnfitError
    from config.values import parse_duration

    try:
        return parse_duration(text)
    except UnfitError as error:
        raise typer.BadParameter(f"{text!r} {error}; {error.mend}") from None
