"""Which dead letters are meant, as options say it."""

from typing import TYPE_CHECKING, Annotated, TypedDict, Unpack

import typer

from workers.cli.spans import span_since

if TYPE_CHECKING:
    from tasks.notifications.letter_filter import LetterFilter
    from tasks.utils.clock import Clock

Service = Annotated[str, typer.Option(help="Only of this service, or of one of its destinations.")]
Reason = Annotated[str, typer.Option(help="Only those that died of this, such as key_rejected.")]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only what died since: 30m, 2h, 7d ago, or an ISO time.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Only what died before: likewise.")]
Channel = Annotated[str, typer.Option(help="Only what was tried last on this channel.")]
Action = Annotated[str, typer.Option(help="Only trigger, acknowledge, resolve or change.")]
Severity = Annotated[str, typer.Option(help="Only of this severity.")]
Summary = Annotated[str, typer.Option(metavar="TEXT", help="Only with these words in the summary.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count what would be done, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Author = Annotated[str | None, typer.Option(help="Who says so; you, if not given.")]
Comment = Annotated[str, typer.Option(help="Why; stands in the ledger.")]


class Wish(TypedDict, total=False):
    """The options of a filter as they were given."""

    service: str
    reason: str
    since: str | None
    until: str | None
    channel: str
    action: str
    severity: str
    summary: str


def filter_of(clock: "Clock", **wish: Unpack[Wish]) -> "LetterFilter":
    """The filter; spans count back from the fleet's clock."""
    from tasks.notifications.letter_filter import LetterFilter

    times = {name: span_since(wish.pop(name, None)) for name in ("since", "until")}  # type: ignore[misc]
    moments = {name: clock.now() - span for name, span in times.items() if span is not None}
    return LetterFilter.model_validate({**wish, **moments})
