"""`tocsin notifications …`: what could not be delivered, and a second chance for it."""

from typing import Annotated

import typer

from workers.cli.lazy import new_app
from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_json, say
from workers.cli.spans import Since, span_since

app = new_app(help="Dead letters, and a second chance for them.", no_args_is_help=True)


@app.command()
def dead_letters(*, since: Since = None, as_json: JsonFlag = False) -> None:
    """Every alert that could not be delivered, and why. The story of one: tocsin alerts trail EVENT_ID."""
    from workers.cli.verdicts import show_verdicts

    show_verdicts(span_since(since), "dead", as_json=as_json)


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


def _all_dead(*, confirmed: bool) -> list[str]:
    from workers.cli.verdicts import verdicts

    dead = [one.event_id for one in verdicts(None, "dead")]
    if dead and not confirmed:
        count = f"{len(dead)} dead letter{'s' * (len(dead) > 1)}"
        message = f"This puts back {count}; people may be paged. If you mean it, add --yes."
        raise CliError(message, ExitCode.NEEDS_CONFIRMATION)
    return dead
