"""`tocsin prove`: the promise, checked over every accepted alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from workers.cli.lazy import new_app
from workers.cli.output import ExitCode, JsonFlag, answer, answer_table, say
from workers.cli.spans import Since, span_since

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tasks.audit.models import Broken, EscalationProof, Pending, ProofReport

app = new_app()
_VERDICTS: Final = {
    "holds": "The promise holds",
    "lost": "History is LOST; nothing else is broken",
    "broken": "The promise is BROKEN",
}


@app.command()
def prove(
    *,
    since: Since = None,
    as_json: JsonFlag = False,
) -> None:
    """Prove that no accepted alert was lost: each was delivered, merged, suppressed by a rule, dead-lettered, or is on its way.

    Exit code 1 if the promise is broken, 3 if it is not but Redis lost everything in that span.
    """
    span = span_since(since)
    from workers.cli.wiring import shell_runtime

    report = shell_runtime().audit.prove(span)
    if as_json:
        answer(report.model_dump_json(indent=2))
    else:
        _show(report)
    if not report.holds:
        raise typer.Exit(ExitCode.DEGRADED if report.verdict == "lost" else ExitCode.FAILED)


def _show(report: ProofReport) -> None:
    answer_table(("VERDICT", "EVENTS", "WHY"), list(_rows(report)))
    for broken in report.broken:
        answer(f"  {_name(broken)}  {broken.wrong}")
    if report.broken_count > len(report.broken):
        answer(f"  … and {report.broken_count - len(report.broken)} more")
    for lost in report.lost_events:
        answer(f"  {_name(lost)}  {lost.wrong}")
    if report.lost > len(report.lost_events):
        answer(f"  … and {report.lost - len(report.lost_events)} more")
    for loss in report.losses:
        answer(str(loss))
    span = f"accepted since {report.since:%Y-%m-%d %H:%M:%S %Z}" if report.since else "ever accepted"
    answer(
        f"{_VERDICTS[report.verdict]}: {report.events} events {span}, judged {report.checked_at:%Y-%m-%d %H:%M:%S %Z}."
    )
    say(
        f"Evidence: {report.sealed_entries} sealed and {report.live_entries} live ledger entries, "
        f"{report.anchors} anchors, read in {report.took_seconds:.1f} s."
    )
    for note in report.notes:
        say(f"Note: {note}")


def _rows(report: ProofReport) -> Iterator[tuple[str, int, str]]:
    yield "delivered", report.delivered, ""
    yield "merged", report.merged, ""
    for rule, count in report.suppressed.items() or {"": 0}.items():
        yield "suppressed", count, rule
    for reason, count in report.dead.items() or {"": 0}.items():
        yield "dead", count, reason
    yield "pending", report.pending.count, _due(report.pending)
    yield from _escalations(report.escalations)
    if report.lost or report.losses:
        yield "lost", report.lost, "lost_history" if report.lost else ""
    for fault, count in report.broken_by.items() or {"": report.broken_count}.items():
        yield "broken", count, fault


def _escalations(proof: EscalationProof) -> Iterator[tuple[str, int, str]]:
    """What became of escalations, where there were any."""
    if not proof.started:
        return
    for reason, count in proof.ended.items():
        yield "escalation ended", count, reason
    yield "escalation pending", proof.pending, f"{proof.steps} steps were taken in all"
    if proof.lost:
        yield "escalation lost", proof.lost, "lost_history"


def _name(broken: Broken) -> str:
    """The event, and the alert it is of: service and dedup key."""
    alert = " ".join(filter(None, (broken.service, broken.dedup_key)))
    return f"{broken.event_id or '(evidence)'}" + (f" ({alert})" if alert else "")


def _due(pending: Pending) -> str:
    if pending.soonest_due is None or pending.latest_due is None:
        return ""
    return f"next due {_time(pending.soonest_due)}, last {_time(pending.latest_due)}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"
