"""`tocsin tokens list|status|rotate|resume|reveal`: keys, their ages, and their replacement by new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workers.cli.output import JsonFlag, answer, answer_json, answer_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.tokens.rotation.models import AccessToken, KeyView, RotationReport

Kind = Literal["integration", "orchestration", "webhook", "ingest", "jwt"]
Rotatable = Literal["integration", "orchestration", "webhook", "ingest", "jwt", "oauth", "encryption"]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what is under way, and change nothing.")]


def list_keys(*, as_json: JsonFlag = False) -> None:
    """Every key that is in use, by its id: where, how old, and who replaces it. Values are never shown."""
    from tasks.tokens.rotation.former_keys import former_words
    from workers.cli.wiring import shell_runtime

    tokens = shell_runtime().tokens
    keys, access, former = tokens.known(), tokens.account.access_tokens(), tokens.account.former_keys.all()
    if as_json:
        told = [{"kind": "access", **one.model_dump(mode="json")} for one in access]
        told += [{"kind": "api", "state": "former", **one.model_dump(mode="json")} for one in former]
        answer_json([*(key.model_dump(mode="json") for key in keys), *told])
        return
    header = ("KIND", "KEY", "STATE", "AGE", "AT MOST", "REPLACED BY", "WHERE")
    answer_table(header, [_row(key) for key in keys])
    _show_access(access)
    for one in former:
        answer(f"to be deleted in PagerDuty: {former_words(one, tokens.now_ms())}")


def gone(key: Annotated[str, typer.Argument(help="Its id, as `tokens list` shows it.")]) -> None:
    """Say that a REST key that was replaced is deleted in PagerDuty, so that nobody is reminded of it any more."""
    from tasks.utils.error_handler import UnknownError
    from workers.cli.wiring import shell_runtime

    if not shell_runtime().tokens.account.former_keys.gone(key):
        raise UnknownError(f"no former REST key {key} is known; `tocsin tokens list` names them")
    say(f"{key} is forgotten.")


def status(*, as_json: JsonFlag = False) -> None:
    """Rotations that are under way, and what they wait for; and the access tokens of an OAuth app."""
    from workers.cli.wiring import shell_runtime

    _show(shell_runtime().tokens.underway(), as_json=as_json)


def rotate(
    kind: Annotated[Rotatable | None, typer.Argument(help="Which kind of key. Default: whatever is due.")] = None,
    key: Annotated[str, typer.Argument(help="Its id, as `tokens list` shows it; where there is one only: none.")] = "",
    *,
    dry_run: Dry = False,
    as_json: JsonFlag = False,
) -> None:
    """Replace a key by a new one, without a moment in which no key is good.

    The new key is made, all processes get to know it, it is proven, and put in force. The former one stays until nothing
    needs it: `tocsin tokens resume`, or the scheduled task tokens-rotate, deletes it then. It may be killed at any time.
    encryption: a person has put a new encryption key in place; what lies under former ones is encrypted anew.
    oauth: every process gets a fresh access token of the OAuth app, as after its scopes were changed in PagerDuty.
    """
    from workers.cli.progress import watched
    from workers.cli.wiring import shell_runtime

    tokens = shell_runtime().tokens
    with watched():
        report = tokens.rotate(kind or "", key, dry_run=dry_run)
    _show(report, as_json=as_json)
    for one in report.rotations:
        if one.kind == "ingest" and one.step == "wait_unused":
            say(f"Senders need the new key: tocsin tokens reveal ingest {one.key}")
    if kind == "oauth" and not dry_run:
        say(
            "Every process takes a fresh one before its next call. Those given out before stay good at PagerDuty until their end;"
        )
        say(
            "to end them at once, revoke the app's tokens in PagerDuty: each process gets a new one at the first refusal."
        )


def resume(*, dry_run: Dry = False, as_json: JsonFlag = False) -> None:
    """Go on with every rotation that is under way, as far as nothing holds it up."""
    from workers.cli.progress import watched
    from workers.cli.wiring import shell_runtime

    tokens = shell_runtime().tokens
    with watched():
        report = tokens.underway() if dry_run else tokens.service.resume()
    _show(report, as_json=as_json)


def reveal(kind: Kind, key: str) -> None:
    """Print a key that Tocsin made, to hand it to whoever sends with it. This is a destructive act: it asks as one."""
    from workers.cli.wiring import shell_runtime

    answer(shell_runtime().tokens.service.reveal(kind, key))


def _row(key: KeyView) -> tuple[str, ...]:
    state = f"{key.state} ({key.step})" if key.step else key.state
    if key.last_used_seconds is not None:
        state += f", used {key.last_used_seconds / 60:.0f} min ago"
    age = "?" if key.age_days is None else f"{key.age_days:.0f} days"
    return key.kind, key.id, state, age, f"{key.max_age_days:.0f} days", key.replaced_by, ", ".join(key.where)


def _show_access(tokens: Sequence[AccessToken]) -> None:
    from tasks.tokens.rotation.access_tokens import access_words

    for one in tokens:
        answer(f"access tokens of app {one.app}: {access_words(one)}; replaced by {one.replaced_by}")


def _show(report: RotationReport, *, as_json: bool) -> None:
    if as_json:
        answer_json(report.model_dump(mode="json"))
        return
    if report.at_rest:
        rows = [
            (one.place, one.key, one.count, one.mend or ("yes, still" if one.needs_former else ""))
            for one in report.at_rest
        ]
        answer_table(("WHAT", "KEY", "COUNT", "NEEDS A FORMER KEY"), rows)
        return
    _show_access(report.access_tokens)
    if not report.rotations:
        if not report.access_tokens or report.nothing_due:
            answer("no rotation is under way")
        return
    from tasks.tokens.rotation.models import WORDS
    from tasks.tokens.rotation.progress import words

    for one in report.rotations:
        ids = one.key if one.key == one.former else f"{one.former} -> {one.key}"  # not switched yet
        answer(f"{one.kind} {ids}  {one.step}: {WORDS[one.step]}")
        answer(f"    begun {words(round(one.under_way_seconds * 1000))} ago{f'; {one.waits}' if one.waits else ''}")
        if one.stuck:
            answer(f"    stands still: {one.stuck}")
            answer(f"    {one.mend}")
