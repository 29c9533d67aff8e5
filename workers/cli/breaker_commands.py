"""`tocsin notifications breakers …`: what is left alone because it does not answer, and a person's word on it."""

from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.lazy import new_app
from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_json, answer_table
from workers.cli.spans import length

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from tasks.runtime import Runtime
    from tasks.utils.breakers import BreakerChange, BreakerView, Forced

app = new_app(help="Endpoints that are left alone because they do not answer; force one open or closed.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="An endpoint as the list names it, or a part of it.")]
Author = Annotated[str | None, typer.Option(help="Who says so; you, if not given.")]


@app.callback(invoke_without_command=True)
def breakers(
    context: typer.Context,
    *,
    most: Annotated[int, typer.Option("--changes", help="How many changes to show, newest first.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """Every endpoint and whether it is called, then the last changes: when, what, why and by whom."""
    if context.invoked_subcommand:
        return
    from workers.cli.wiring import shell_runtime

    runtime = shell_runtime()
    found, changes = runtime.breakers.list(runtime.endpoints), runtime.breakers.history(most) if most > 0 else []
    if as_json:
        parts = {"breakers": found, "changes": changes}
        answer_json({name: [one.model_dump(mode="json") for one in part] for name, part in parts.items()})
        return
    answer_table(("ENDPOINT", "STATE", "FAILURES", "DOWN SINCE", "UNTIL", "BY", "WHY"), [_row(one) for one in found])
    if changes:
        answer("")
        answer_table(("TIME", "ENDPOINT", "CHANGE", "BY", "WHY"), [_change(one) for one in changes])


@app.command()
def force(
    name: Name,
    how: Annotated[str, typer.Argument(metavar="open|closed", help="open: nothing is sent there. closed: all is.")],
    *,
    lasting: Annotated[str, typer.Option("--for", metavar="TIME", help="How long: 30m, 2h, 1d.")] = "30m",
    comment: Annotated[str, typer.Option("--comment", "-c", help="Why; whoever is on call next will read it.")],
    author: Author = None,
    as_json: JsonFlag = False,
) -> None:
    """Hold a breaker open or closed for a while, whatever happens; it ends by itself."""
    from workers.cli.wiring import shell_runtime

    state, span = _forced(how), _span(lasting)
    if not comment.strip():
        raise CliError("Say why with --comment; whoever is on call next will ask.", ExitCode.USAGE)
    runtime = shell_runtime()
    endpoint = _known(runtime, name)
    until = runtime.breakers.force(endpoint, state, span, author or _user(), comment)
    if as_json:
        answer_json({"name": endpoint, "state": f"forced_{state}", "until": until})
    else:
        answer(f"{endpoint} is held {state} until {until.astimezone():%Y-%m-%d %H:%M:%S %Z}")


@app.command()
def release(
    name: Name, *, comment: Annotated[str, typer.Option("--comment", "-c", help="Why.")] = "", author: Author = None
) -> None:
    """End what `force` began: the breaker stands as it would by itself."""
    from workers.cli.wiring import shell_runtime

    runtime = shell_runtime()
    endpoint = _known(runtime, name)
    if not runtime.breakers.release(endpoint, author or _user(), comment):
        raise CliError(f"{endpoint} is not forced; `tocsin notifications breakers` shows how it stands.")
    answer(f"{endpoint} is released")


def _known(runtime: "Runtime", name: str) -> str:
    """The endpoint of that name, or the only one with it as a part."""
    known = sorted({*runtime.endpoints, *(one.name for one in runtime.breakers.list())})
    found = [name] if name in known else [one for one in known if name in one]
    if len(found) != 1:
        what = "more than one endpoint is meant" if found else "there is no such endpoint"
        raise CliError(f"{name!r}: {what}; known: {', '.join(found or known) or 'none'}.", ExitCode.USAGE)
    return found[0]


def _forced(how: str) -> "Forced":
    if how == "open":
        return "open"
    if how == "closed":
        return "closed"
    raise CliError(f"A breaker is forced `open` or `closed`, not {how!r}.", ExitCode.USAGE)


def _span(text: str) -> "timedelta":
    span = length(text)
    if not span:
        raise CliError(
            "--for must be longer than nothing; to end it: tocsin notifications breakers release NAME", ExitCode.USAGE
        )
    return span


def _user() -> str:
    from getpass import getuser

    return getuser()


def _row(one: "BreakerView") -> tuple[str, ...]:
    calls = f"{one.failures} of {one.failures + one.answers}" if one.failures else ""
    until = _time(one.forced_until or one.open_until)
    return one.name, one.state.replace("_", " "), calls, _time(one.down_since), until, one.forced_by, one.forced_why


def _change(one: "BreakerChange") -> tuple[str, ...]:
    return f"{one.at.astimezone():%m-%d %H:%M:%S}", one.name, one.state.replace("_", " "), one.author, one.reason


def _time(at: "datetime | None") -> str:
    return f"{at.astimezone():%H:%M:%S}" if at else ""
