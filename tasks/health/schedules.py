"""What may be amiss with scheduled tasks; see `conditions.py`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tasks.health.models import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tasks.health.facts import Facts, LeftOut

MOST_NAMED: Final = 5
TOLD_MS: Final = 3_600_000
LONG_MS: Final = 600_000  # runs of every minute that were left out for less are no news: a restart takes as long


def schedule_late(facts: Facts, _: object) -> Iterator[Finding]:
    """Scheduled tasks do not run."""
    if facts.missed:
        mend = "start `tocsin beat` and the workers of the groups `maintenance`, `delivery` and `webhook`; look at their logs"
        yield Finding("schedule_late", "error", f"What is scheduled does not run: {_listed(facts.missed)}", mend)


def runs_missed(facts: Facts, _: object) -> Iterator[Finding]:
    """Scheduled runs were left out for a while; one was made in their place, or it was too late for that."""
    told = {entry: missed for entry, missed in facts.left_out.items() if _is_told(missed, facts.now)}
    if told:
        since = datetime.fromtimestamp(min(missed.since for missed in told.values()) / 1000, UTC)
        late = [entry for entry, missed in told.items() if not missed.is_caught_up]
        became = f"too late to make up for it: {_listed(late)}" if late else "it was made up for, once"
        summary = f"What is scheduled did not run since {since:%Y-%m-%d %H:%M} UTC ({_listed(told)}); {became}"
        mend = "see why beat, or the workers, were away; `tocsin schedules show ENTRY` tells more, `… run ENTRY` runs it now"
        yield Finding("runs_missed", "warning", summary, mend)


def _is_told(missed: LeftOut, now: int) -> bool:
    lasted = missed.at - missed.since >= LONG_MS
    return now - missed.at <= TOLD_MS and (lasted or not missed.is_caught_up)


def _listed(names: Collection[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(list(names)[:MOST_NAMED]) + more
