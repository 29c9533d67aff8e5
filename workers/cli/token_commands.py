"""`tocsin tokens …`: access to the HTTP API, identities of programs, and the rotation of all keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workers.cli.lazy import new_app
from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_fields, answer_json, answer_table, say
from workers.cli.token_revocations import revocations, revoke
from workers.cli.token_rotation import gone, list_keys, resume, reveal, rotate, status

if TYPE_CHECKING:
    from datetime import timedelta

    from config.models import Settings
    from tasks.tokens.service import AccessTokens

app = new_app(
    help="Access tokens of the HTTP API; and all keys there are, their ages, and their rotation.", no_args_is_help=True
)

Role = Literal["viewer", "responder", "operator", "admin"]


@app.command()
def issue(
    *,
    subject: Annotated[
        str | None, typer.Option(help="Who will use it; stands as author beside what it changes.")
    ] = None,
    service: Annotated[
        str | None, typer.Option(metavar="NAME", help="In place of --subject: the identity of a program.")
    ] = None,
    role: Annotated[Role | None, typer.Option(help="Shorthand for a set of scopes: viewer, responder, …")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="One scope, such as alerts:write; may be repeated.")] = None,
    lifetime: Annotated[str | None, typer.Option(help="Such as 15m, 8h or 7d, if not the configured one.")] = None,
) -> None:
    """Print a token. Keep it like a password and its lifetime short; `tocsin tokens revoke` ends it early.

    curl -H "Authorization: Bearer $(tocsin tokens issue --role viewer --subject me)" http://127.0.0.1:8080/api/v1/alerts

    A service identity lets schedules and CI do destructive acts in production, those its scopes name:
    tocsin tokens issue --service nightly --scope backups:prune > nightly.token; TOCSIN_IDENTITY_FILE=nightly.token
    """
    from config.values import format_duration
    from tasks.tokens.scopes import scopes_of
    from tasks.utils.error_handler import PermanentError
    from workers.cli.connection import current_settings

    if bool(subject) == bool(service):
        raise CliError("Say for whom: --subject NAME, or --service NAME for the identity of a program.", ExitCode.USAGE)
    if role is None and not scope:
        raise CliError("Say what it allows: --role viewer, responder, operator or admin, or --scope.", ExitCode.USAGE)
    settings = current_settings()
    span = settings.api.token_lifetime if lifetime is None else _span(lifetime)
    try:
        scopes = scopes_of(role, scope or (), acts=service is not None)
        name = subject or service or ""
        _authorise(scopes)
        token = tokens_of(settings).issue(name, scopes, span, "service" if service else "access")
    except PermanentError as error:
        raise CliError(str(error), ExitCode.USAGE) from None
    _refuse_dead(settings, token)
    answer(token)
    say(f"For {name}, valid for {format_duration(span)}. What it says: tocsin tokens check -")


@app.command()
def check(
    text: Annotated[str, typer.Argument(metavar="TOKEN|-", help="- reads stdin, which no list of processes shows.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Say what a token allows, whom and until when; exit code 1 if the gateway would refuse it.

    Whether it has been revoked is asked of Redis, and of what this machine knows while Redis does not answer.
    """
    from workers.cli.connection import current_settings
    from workers.cli.token_revocations import refuse_revoked

    settings = current_settings()
    said = tokens_of(settings).check(read_token(text))
    refuse_revoked(settings, said)
    if as_json:
        answer_json(said.model_dump(mode="json"))
    else:
        answer_fields({**said.model_dump(), "scopes": " ".join(said.scopes)})


@app.command()
def keys(*, as_json: JsonFlag = False) -> None:
    """The secrets that sign tokens, by the names they go by (`kid`): which one signs, which are still taken."""
    from workers.cli.connection import current_settings

    uses = {
        kid: "still taken" if number else "signs" for number, kid in enumerate(tokens_of(current_settings()).key_ids)
    }
    if as_json:
        answer_json([{"kid": kid, "use": use} for kid, use in uses.items()])
    else:
        answer_table(("KID", "USE"), list(uses.items()))


app.command("list")(list_keys)
app.command()(status)
app.command()(rotate)
app.command()(resume)
app.command()(reveal)
app.command()(gone)
app.command()(revoke)
app.command()(revocations)


def read_token(text: str) -> str:
    """The token in an argument; `-` means that it stands on stdin."""
    import sys

    return (sys.stdin.read() if text == "-" else text).strip()


def tokens_of(settings: Settings) -> AccessTokens:
    """What issues and checks tokens; CliError (78) where no secret is set."""
    from tasks.tokens.service import AccessTokens, NoSecretError
    from tasks.tokens.wiring import token_rules

    try:
        return AccessTokens(token_rules(settings))
    except NoSecretError as error:
        raise CliError(str(error), ExitCode.BAD_CONFIG) from None


def _authorise(scopes: frozenset[str]) -> None:
    """A token that allows destructive acts is one itself."""
    from tasks.tokens.destructive import ACT_SCOPES
    from workers.cli.authority import authorise

    if scopes & set(ACT_SCOPES):
        authorise("tokens.issue")


def _refuse_dead(settings: Settings, token: str) -> None:
    """A token issued in the very seconds in which its subject's tokens are revoked would be refused everywhere."""
    from workers.cli.token_revocations import kept_revocation

    found = kept_revocation(settings, tokens_of(settings).check(token))
    if found is not None and found.issued_until:
        when = f"{found.issued_until.astimezone():%H:%M:%S}"
        raise CliError(f"What is issued up to {when} is revoked ({found.name}); try again then.", ExitCode.TRY_LATER)


def _span(text: str) -> timedelta:
    from config.errors import UnfitError
    from config.values import parse_duration

    try:
        return parse_duration(text)
    except UnfitError as error:
        raise typer.BadParameter(f"{text!r} {error}; {error.mend}") from None
