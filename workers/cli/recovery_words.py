"""A recovery in words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.backups.recovery_models import PartPlan, RecoveryReport

MARKS: Final = {"done": "✔", "waits": "!", "failed": "✘"}
TITLES: Final = {
    "config": "configuration",
    "files": "state, files",
    "settings": "settings",
    "server": "server",
    "state": "state, Redis",
    "keys": "rotated keys",
    "sync": "PagerDuty",
    "prove": "proof",
    "health": "health",
}
MOST_SHOWN: Final = 20
THEN: Final = (
    "before the gateway starts: copy `spool/` of the old state folder here if that disk can be read; it holds alerts that Redis never had",
    "start the fleet: `tocsin up`, or the processes as this installation runs them",
    "point senders and PagerDuty's webhook subscription at this machine, if its address is another one",
    "have senders send again what they sent after the backup; what is open is merged",
    "`tocsin backups create` once the fleet runs",
)


def plan_lines(report: RecoveryReport) -> Iterator[str]:
    """What would be brought back from where."""
    for part in report.parts:
        made = part.backup
        yield (
            f"{part.part}: from backup {made.id[:8]}, made {made.created.astimezone():%Y-%m-%d %H:%M:%S} on {made.host} "
            f"({age(part.age_seconds)} ago, {made.environment})"
        )
        for why in part.passed_over:
            yield f"  passed over: {why}"
        yield from _part_lines(part)


def _part_lines(part: PartPlan) -> Iterator[str]:
    from workers.cli.backup_words import change_line

    told = [change for change in part.changes if change.verb != "create"]
    for change in told[:MOST_SHOWN]:
        yield f"  {change_line(change)}"
    if len(told) > MOST_SHOWN:
        yield f"  … and {len(told) - MOST_SHOWN} more: see them with --json"
    counts = part.counts
    yield f"  files: {counts['create']:,} to create, {counts['change']:,} to replace, {counts['leave']:,} are there"
    if part.server:
        held = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in part.server.items())
        yield f"  into Redis, where it does not know them: {held}"


def step_line(report: RecoveryReport, at: int) -> str:
    """One step."""
    step = report.steps[at]
    return f"{MARKS[step.state]} {TITLES[step.name]:<14} {step.words}"


def end_lines(report: RecoveryReport) -> Iterator[str]:
    """What is lost, and what a person must do."""
    if report.lost:
        yield "Lost, or not known:"
        yield from (f"  {one}" for one in report.lost)
    todo = [*report.todo, *(THEN if report.is_over else ())]
    if todo:
        yield "To do:"
        yield from (f"  {number}. {one}" for number, one in enumerate(todo, start=1))


def age(seconds: float) -> str:
    """How long, in the two greatest units."""
    whole = timedelta(seconds=round(seconds))
    hours, rest = divmod(whole.seconds, 3600)
    minutes, left = divmod(rest, 60)
    units = [(whole.days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    told = [f"{count} {unit}" for count, unit in units if count][:2]
    return " ".join(told) or "0 s"
