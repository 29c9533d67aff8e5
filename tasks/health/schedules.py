"""What may be amiss with scheduled tasks; see `conditions.py`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tasks.health.models import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.health.facts import Facts

TOLD_MS: Final = 3_600_000
LONG_MS: Final = 600_000  # runs of every minute that were left out for less are no news: a restart takes as long


def schedule_late(facts: Facts, _: object) -> Iterator[Finding]:
    """Scheduled tasks do not run."""
    if facts.missed:
        mend = "start `tocsin beat` and the workers of the groups `maintenance`, `delivery` and `webhook`; look at their logs"
        yield Finding("schedule_late", "error", f"What is scheduled does not run: {', '.join(facts.missed)}", mend)


def runs_missed(facts: Facts, _: object) -> Iterator[Finding]:
    """Scheduled runs were left out for a while; one was made in their place, or it was too late for that."""
    for entry, missed in facts.left_out.items():
        if facts.now - missed.at <= TOLD_MS and (missed.at - missed.since >= LONG_MS or not missed.is_caught_up):
            since = f"{datetime.fromtimestamp(missed.since / 1000, UTC):%Y-%m-%d %H:%M} UTC"
            became = "it was made up for, once" if missed.is_caught_up else "it was too late to make up for it"
            mend = f"see why beat, or the workers, were away; `tocsin schedules show {entry}` tells more, `… run {entry}` runs it now"
            yield Finding("runs_missed", "warning", f"{entry} did not run since {since}; {became}", mend, entry)
