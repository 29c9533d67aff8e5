"""`tocsin tokens revoke|revocations`: tokens that are refused before they expire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_json, answer_table, say

if TYPE_CHECKING:
    from config.models import Settings
    from tasks.tokens.models import AccessToken
    from tasks.tokens.revocation import Kind, Revocation


def revoke(
    text: Annotated[str | None, typer.Argument(metavar="-", help="Read the token from stdin.")] = None,
    *,
    jti: Annotated[
        str | None, typer.Option(metavar="ID", help="The token by its id; `tocsin tokens check` shows it.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Everything issued to it up to now.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything issued up to now, whoever holds it.")] = False,
    comment: Annotated[str, typer.Option("--comment", "-c", help="Why; whoever wonders will read it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Really everything.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Have every gateway refuse tokens from now on, within two seconds. It cannot be taken back: issue new ones.

    tocsin tokens revoke - --comment "it stood in a build log" < leaked.token
    """
    from tasks.utils.local_actor import local_actor
    from workers.cli.wiring import shell_runtime

    if sum((text is not None, jti is not None, subject is not None, everything)) != 1 or text not in (None, "-"):
        message = "Say which: - (the token on stdin), --jti ID, --subject NAME or --all. Arguments are seen by others."
        raise CliError(message, ExitCode.USAGE)
    if everything and not yes:
        raise CliError(
            "Every sender and person needs a new token then. If you mean it, add --yes.", ExitCode.NEEDS_CONFIRMATION
        )
    runtime = shell_runtime()
    token = _on_stdin(runtime.settings) if text else None
    kind, of = _meant(token, jti, subject)
    done = runtime.revocations.revoke(kind, of, by=local_actor().name, comment=comment, token=token)
    if as_json:
        answer_json(done.model_dump(mode="json"))
        return
    answer(done.name)
    if done.issued_until:
        say(f"What is issued after {done.issued_until.astimezone():%H:%M:%S %Z} is taken again.")


def revocations(*, as_json: JsonFlag = False) -> None:
    """Which tokens are revoked, by whom and why, the newest first; forgotten once they have all expired."""
    from workers.cli.wiring import shell_runtime

    found = sorted(shell_runtime().revocations.list(), key=lambda one: one.at, reverse=True)
    if as_json:
        answer_json([one.model_dump(mode="json") for one in found])
        return
    answer_table(("WHAT", "ISSUED UNTIL", "REVOKED", "BY", "FORGOTTEN", "WHY"), [_row(one) for one in found])


def refuse_revoked(settings: Settings, token: AccessToken) -> None:
    """Raise RefusedTokenError if the token has been revoked, by what Redis says or, where it is away, this machine's copy."""
    from redis import RedisError

    from tasks.runtime import Runtime
    from tasks.tokens.revocation import in_words
    from tasks.tokens.service import RefusedTokenError

    try:
        found = Runtime(settings).revocations.list().of(token)
    except RedisError:
        say("Redis does not answer: whether the token has been revoked is told by what this machine knew last.")
        found = kept_revocation(settings, token)
    if found is not None:
        raise RefusedTokenError(in_words(found))


def kept_revocation(settings: Settings, token: AccessToken) -> Revocation | None:
    """What this machine's copy of the list says of a token."""
    from tasks.tokens.revocations import RevocationCopy

    kept = RevocationCopy(settings.state_dir).read()
    return kept.of(token) if kept else None


def _on_stdin(settings: Settings) -> AccessToken:
    from workers.cli.token_commands import read_token, tokens_of

    return tokens_of(settings).check(read_token("-"))


def _meant(token: AccessToken | None, jti: str | None, subject: str | None) -> tuple[Kind, str]:
    if token is not None and not token.id:
        raise CliError("The token has no id (jti); revoke its subject: --subject NAME.", ExitCode.USAGE)
    if token is not None or jti is not None:
        return "token", token.id if token else jti or ""
    return ("all", "") if subject is None else ("subject", subject)


def _row(one: Revocation) -> tuple[str, ...]:
    until = f"{one.issued_until.astimezone():%m-%d %H:%M:%S}" if one.issued_until else ""
    return (
        one.name,
        until,
        f"{one.at.astimezone():%m-%d %H:%M:%S}",
        one.by,
        f"{one.forgotten_at.astimezone():%m-%d %H:%M}",
        one.comment,
    )
