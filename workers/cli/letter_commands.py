"""`tocsin notifications dead-letters|show|drop|replay|purge`: what could not be delivered, and what becomes of it."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.letter_options import (
    Action,
    Author,
    Channel,
    Comment,
    DryRun,
    Reason,
    Service,
    Severity,
    Since,
    Summary,
    Until,
    Yes,
    filter_of,
)
from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_fields, answer_json, answer_table, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.notifications.models import LetterCount
    from tasks.runtime import Runtime

WHY_NOT = {
    "resolved": "resolved meanwhile: closed as suppressed by rule resolved_before_send",
    "overtaken": "overtaken by newer news: closed",
    "unreadable": "never readable as alerts: they stay",
    "gone": "gone before they could be handled",
    "alive": "no dead letters any more",
}


def dead_letters(
    *,
    each: Annotated[bool, typer.Option("--each", help="One line for each instead of each group.")] = False,
    service: Service = "",
    reason: Reason = "",
    since: Since = None,
    until: Until = None,
    channel: Channel = "",
    action: Action = "",
    severity: Severity = "",
    summary: Summary = "",
    as_json: JsonFlag = False,
) -> None:
    """What could not be delivered, and why: how many of which service and reason. One whole: tocsin notifications show EVENT_ID."""
    from workers.cli.letter_tables import show_each, show_groups
    from workers.cli.wiring import shell_runtime

    runtime = shell_runtime()
    where = filter_of(
        runtime.clock,
        service=service,
        reason=reason,
        since=since,
        until=until,
        channel=channel,
        action=action,
        severity=severity,
        summary=summary,
    )
    (show_each if each else show_groups)(runtime.dead_letters, where, as_json=as_json)


def show(event_id: Annotated[str, typer.Argument(metavar="EVENT_ID")], *, as_json: JsonFlag = False) -> None:
    """One dead letter with the alert itself, secrets left out. Its story: tocsin alerts trail EVENT_ID."""
    from workers.cli.wiring import shell_runtime

    letter = shell_runtime().dead_letters.get(event_id)
    if as_json:
        answer_json(letter.model_dump(mode="json"))
        return
    answer_fields({**letter.model_dump(exclude={"alert", "raw"})})
    answer_json(letter.alert) if letter.alert is not None else answer(letter.raw)


def drop(
    event_id: Annotated[str, typer.Argument(metavar="EVENT_ID")], *, comment: Comment, author: Author = None
) -> None:
    """Give a dead letter up for good: it counts as suppressed by the rule `dropped`, and cannot be replayed."""
    from workers.cli.wiring import shell_runtime

    words = _words(author, comment)
    shell_runtime().dead_letters.drop(event_id, *words)
    answer(event_id)


def replay(
    event_ids: Annotated[list[str] | None, typer.Argument(metavar="EVENT_ID")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter there is.")] = False,
    service: Service = "",
    reason: Reason = "",
    since: Since = None,
    until: Until = None,
    channel: Channel = "",
    action: Action = "",
    severity: Severity = "",
    summary: Summary = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Put dead letters back to be decided on again; mend first what killed them.

    Name them, or say which by a filter: tocsin notifications replay --reason key_rejected --since 1h --dry-run
    """
    from workers.cli.wiring import shell_runtime

    runtime = shell_runtime()
    where = filter_of(
        runtime.clock,
        service=service,
        reason=reason,
        since=since,
        until=until,
        channel=channel,
        action=action,
        severity=severity,
        summary=summary,
    )
    if bool(event_ids) == (everything or not where.fits_all) or (everything and not where.fits_all):
        raise CliError("Give the event ids of dead letters, or a filter, or --all.", ExitCode.USAGE)
    if event_ids and dry_run:
        raise CliError("--dry-run counts what a filter fits; of one: tocsin notifications show", ExitCode.USAGE)
    if event_ids:
        _replay_named(runtime, event_ids, as_json=as_json)
        return
    act = partial(runtime.letter_care.replay_all, where)
    found = act(dry_run=True)
    if found.matched > 1 and not dry_run:
        _confirm(f"This puts back {_letters(found.done)}; people may be paged", confirmed=yes)
    _tell(found if dry_run else _done(act, found, "replayed"), "put back", as_json=as_json)


def purge(
    *,
    older_than: Annotated[str, typer.Option(metavar="SPAN", help="Only what died so long ago: 12h, 30d.")],
    comment: Comment,
    author: Author = None,
    service: Service = "",
    reason: Reason = "",
    channel: Channel = "",
    action: Action = "",
    severity: Severity = "",
    summary: Summary = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Give up old dead letters for good: they count as suppressed by the rule `dropped`; the ledger says by whom and why."""
    from workers.cli.spans import span_since
    from workers.cli.wiring import shell_runtime

    words, span = _words(author, comment), span_since(older_than)
    assert span is not None  # noqa: S101 - a text was given
    runtime = shell_runtime()
    where = filter_of(
        runtime.clock,
        service=service,
        reason=reason,
        channel=channel,
        action=action,
        severity=severity,
        summary=summary,
    )
    act = partial(runtime.letter_care.purge, where, span, words)
    found = act(dry_run=True)
    if found.matched and not dry_run:
        _confirm(f"This gives up {_letters(found.matched)} for good", confirmed=yes)
    _tell(found if dry_run else _done(act, found, "given up"), "given up", as_json=as_json)


def _done(act: "Callable[..., LetterCount]", found: "LetterCount", what: str) -> "LetterCount":
    """What has become of the letters that were found, while a bar shows how far it is."""
    from workers.cli.progress import progress

    if not found.matched:
        return found.model_copy(update={"is_dry_run": False})
    with progress(what, found.matched) as told:
        return act(progress=told)


def _replay_named(runtime: "Runtime", event_ids: list[str], *, as_json: bool) -> None:
    report = runtime.letter_care.replay(event_ids)
    for event_id, refusal in report.refused.items():
        say(f"{event_id} {refusal}")
    if as_json:
        answer_json(report.model_dump())
    else:
        answer("\n".join(report.replayed) or "nothing to replay")
    if report.refused:
        raise typer.Exit(ExitCode.FAILED if not report.replayed else ExitCode.DEGRADED)


def _tell(count: "LetterCount", done: str, *, as_json: bool) -> None:
    if as_json:
        answer_json(count.model_dump())
    elif not count.matched:
        answer("no dead letter fits")
    else:
        rows = [(f"would be {done}" if count.is_dry_run else done, count.done, "")]
        rows += [("not " + done, number, WHY_NOT[why]) for why, number in count.refused.items()]
        answer_table(("", "LETTERS", "WHY"), rows)
    if count.refused and not count.is_dry_run:
        raise typer.Exit(ExitCode.DEGRADED if count.done else ExitCode.FAILED)


def _confirm(what: str, *, confirmed: bool) -> None:
    if not confirmed:
        message = f"{what}. If you mean it, add --yes; --dry-run counts more closely."
        raise CliError(message, ExitCode.NEEDS_CONFIRMATION)


def _words(author: str | None, comment: str) -> tuple[str, str]:
    import getpass

    if not comment.strip():
        raise CliError("Say why with --comment; whoever reads the ledger later will ask.", ExitCode.USAGE)
    return author or getpass.getuser(), comment


def _letters(count: int) -> str:
    return f"{count} dead letter{'s' * (count != 1)}"
