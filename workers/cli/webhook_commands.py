"""`tocsin webhooks …`: what PagerDuty tells, and what foreign documents become, for those who write mappings."""

from typing import Annotated

import typer

from workers.cli import subscription_commands
from workers.cli.lazy import new_app
from workers.cli.output import ExitCode, JsonFlag, answer_json, answer_table, say

app = new_app(help="What PagerDuty tells Tocsin; how foreign documents become alerts.", no_args_is_help=True)
subscription_commands.install(app)


@app.command("mappings")
def mappings(*, as_json: JsonFlag = False) -> None:
    """Every mapping: its name, its address, whose documents it is for."""
    from workers.cli.connection import current_settings
    from workers.gateway.paths import HOOKS

    found = current_settings().mappings.values()
    rows = [(each.name, f"{HOOKS}/{each.name}", each.options.description) for each in found]
    if as_json:
        answer_json([dict(zip(("name", "path", "description"), row, strict=True)) for row in rows])
    else:
        answer_table(("MAPPING", "POST TO", "WHOSE DOCUMENTS"), rows)


@app.command("try")
def try_(
    mapping: Annotated[str, typer.Argument(metavar="MAPPING", help="Its name, or a file NAME.yaml.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="The document, as JSON; - reads stdin.")],
    *,
    header: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A header of the request; may be given again.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Print the alerts that a mapping makes of a document; sends nothing, and exits with 1 where one is at fault."""
    from workers.cli.webhook_trial import trial

    outcome = trial(mapping, file, header or [])
    if as_json:
        answer_json(outcome._asdict())
    else:
        for alert in outcome.alerts:
            answer_json(alert)
        for line in (*outcome.notes, *(f"ignored by rule {rule!r}" for rule in outcome.ignored), *outcome.errors):
            say(line)
    if outcome.errors:
        raise typer.Exit(ExitCode.FAILED)
