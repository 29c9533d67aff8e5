"""`tocsin health history`: how available it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from workers.cli.output import answer, answer_json, answer_table, say
from workers.cli.wiring import shell_runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.audit.models import AvailabilityReport
    from tasks.health.models import HealthRun
    from tasks.health.watching import Watched

WITHOUT: Final = timedelta(days=30)
MOST: Final = 20


def show_history(span: timedelta | None, *, as_json: bool) -> None:
    """Day by day; then the outages, and what health checks found."""
    runtime = shell_runtime()
    since = datetime.now(UTC) - (span or WITHOUT)
    settings = runtime.settings

    def deadline(service: str, severity: str) -> int:
        known = service if service in settings.services else settings.default_service
        return round(settings.severity_deadline(known, severity).total_seconds() * 1000)  # type: ignore[arg-type]

    found, runs = runtime.audit.availability(since, deadline), runtime.health.runs(since)
    watched = runtime.health.watched.days(since)
    if as_json:
        days = {day: one.model_dump() for day, one in watched.items()}
        answer_json(
            {**found.model_dump(mode="json"), "watched": days, "runs": [run.model_dump(mode="json") for run in runs]}
        )
        return
    _show_days(found, watched, runs)
    _show_outages(found)


def _show_days(found: AvailabilityReport, watched: Mapping[str, Watched], runs: list[HealthRun]) -> None:
    known = {day.day: day for day in found.days}
    rows = []
    for day in sorted({*known, *watched, *(f"{run.at:%Y-%m-%d}" for run in runs)}):
        mine = known.get(day)
        looks = [run for run in runs if f"{run.at:%Y-%m-%d}" == day]
        good = sum(run.status == "ok" for run in looks)
        rows.append(
            (
                day,
                _percent(mine.share if mine else None),
                f"{mine.in_time:,} of {mine.alerts:,}" if mine else "none",
                mine.lost_to_dead_letters if mine else 0,
                _percent(watched[day].alive_share if day in watched else None),
                f"{watched[day].watched_hours:.1f} h" if day in watched else "not",
                f"{good} of {len(looks)} well" if looks else "none",
            )
        )
    if not rows:
        say("Nothing is known of this time: no alert was accepted, no sentinel watched, no check was kept.")
        return
    answer_table(("DAY", "IN TIME", "ALERTS", "DEAD", "FLEET ALIVE", "WATCHED", "CHECKS"), rows)


def _show_outages(found: AvailabilityReport) -> None:
    for one in found.outages[-MOST:]:
        answer(
            f"outage {one.begin:%Y-%m-%d %H:%M:%S} to {one.end:%H:%M:%S} UTC: {one.seconds:.0f} s, {one.alerts} alerts late"
        )
    if len(found.outages) > MOST:
        answer(f"… and {len(found.outages) - MOST} outages before")
    total = sum(day.alerts for day in found.days)
    in_time = sum(day.in_time for day in found.days)
    if total:
        lost = sum(one.seconds for one in found.outages)
        say(f"{in_time:,} of {total:,} alerts in time ({in_time / total:.3%}); {lost:.0f} s in which one was late.")
    else:
        say("No alert was to be delivered: how available it would have been is told by FLEET ALIVE alone.")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"
