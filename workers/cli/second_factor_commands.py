"""`tocsin security second-factor …`: what a person proves to be there with, before they destroy anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.lazy import new_app
from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_json, answer_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.security.models import Enrolment, FactorView
    from tasks.security.service import SecondFactors

app = new_app(help="A person's second factor: codes of an app, and recovery codes.", no_args_is_help=True)

TRIES = 3
Person = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Whose; yours by your name in the system, if not given.")
]


@app.command()
def enrol(
    name: Person = None,
    *,
    again: Annotated[bool, typer.Option("--again", help="In place of the one there is: a new phone.")] = False,
    vouched_by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who stands beside you and gives a code of theirs.")
    ] = None,
) -> None:
    """Show a secret as QR code and text, have it confirmed by a first code, and show ten recovery codes, once.

    Nothing is kept before the first code fits. Where others are enrolled already, one of them vouches for you.
    """
    from workers.cli.prompt import is_watched
    from workers.cli.wiring import shell_runtime

    if not is_watched():
        raise CliError("Enrol at a terminal: the secret must not end in a file.", ExitCode.USAGE)
    runtime, person = shell_runtime(), _person(name)
    factors = runtime.second_factors
    _may_enrol(factors.persons(), person, again=again, vouched_by=vouched_by)
    enrolment = factors.begin(person)
    _show(enrolment)
    codes = _confirmed(factors, enrolment, again=again)
    runtime.guard.keep()
    _show_codes(codes)


@app.command()
def status(*, as_json: JsonFlag = False) -> None:
    """Who has one, how many recovery codes are left, who is locked out."""
    from workers.cli.wiring import shell_runtime

    found = shell_runtime().second_factors.views()
    if as_json:
        answer_json([one.model_dump(mode="json") for one in found])
        return
    answer_table(("PERSON", "ENROLLED", "LAST USED", "RECOVERY CODES", "NOTE"), [_row(one) for one in found])
    if not found:
        say("Nobody has one yet: tocsin security second-factor enrol")


@app.command()
def remove(name: Person = None) -> None:
    """Forget somebody's second factor. It takes your own; of a person who has left, you remove theirs."""
    from workers.cli.wiring import shell_runtime

    person = _person(name)
    shell_runtime().second_factors.remove(person)
    answer(person)


@app.command("recovery-codes")
def recovery_codes() -> None:
    """Show ten new recovery codes of yours, once; the former ones are void."""
    from workers.cli.prompt import is_watched
    from workers.cli.wiring import shell_runtime

    if not is_watched():
        raise CliError("Ask for them at a terminal: they must not end in a file.", ExitCode.USAGE)
    codes = shell_runtime().second_factors.renew_recovery_codes(_person(None))
    _show_codes(codes)


def _may_enrol(enrolled: Sequence[str], person: str, *, again: bool, vouched_by: str | None) -> None:
    """The first one enrols freely; then it takes a code, of the person's own former factor or of one who vouches."""
    from workers.cli.authority import authorise

    if person in enrolled and not again:
        raise CliError(f"{person} has one already; with a new phone: --again.", ExitCode.USAGE)
    if not enrolled:
        return
    if person not in enrolled and vouched_by is None:
        message = f"Others are enrolled: one of them vouches for {person}: --vouched-by {' or '.join(enrolled)}."
        raise CliError(message, ExitCode.NEEDS_CONFIRMATION)
    authorise("security.second_factor", person=vouched_by or person)


def _show(enrolment: Enrolment) -> None:
    import sys

    import segno

    say(f"Scan this with an authenticator app, as {enrolment.person}:")
    segno.make(enrolment.uri, error="l", boost_error=False, micro=False).terminal(
        out=sys.stderr, border=2, compact=True
    )
    parts = [enrolment.text[start : start + 4] for start in range(0, len(enrolment.text), 4)]
    say(f"or type it: {' '.join(parts)} (time-based, six digits)")


def _confirmed(factors: SecondFactors, enrolment: Enrolment, *, again: bool) -> list[str]:
    from tasks.security.service import WrongCodeError
    from workers.cli.prompt import ask

    for left in reversed(range(TRIES)):
        try:
            return factors.enrol(enrolment, ask("The code it shows: "), again=again)
        except WrongCodeError as error:
            if not left:
                raise
            say(f"{error}.")
    raise AssertionError


def _show_codes(codes: Sequence[str]) -> None:
    say("Recovery codes, each good once in place of a code. They are not shown again: print them, keep them apart.")
    for code in codes:
        answer(code)


def _person(name: str | None) -> str:
    import os

    from tasks.utils.act_context import about
    from workers.cli.authority import PERSON, os_user

    person = name or os.environ.get(PERSON) or os_user()
    about(f"person/{person}")
    return person


def _row(one: FactorView) -> tuple[str, ...]:
    note = one.fault or (f"locked until {one.locked_until.astimezone():%H:%M:%S}" if one.locked_until else "")
    enrolled = f"{one.enrolled_at.astimezone():%Y-%m-%d}" if one.enrolled_at else ""
    used = f"{one.used_at.astimezone():%Y-%m-%d %H:%M}" if one.used_at else "never"
    return one.person, enrolled, used, str(one.recovery_codes), note
