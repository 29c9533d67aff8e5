"""What the sentinel tells people of, as lines: the same conditions on the same facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.health.conditions import (
    delivery_failing,
    key_rejected,
    pages_missed,
    proof_broken,
    redis_lost,
    sender_over_quota,
    webhooks_disabled,
)
from tasks.health.schedules import runs_missed, schedule_late
from tasks.health.timers import nobody_answered
from tasks.utils.health_monitor import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tasks.health.conditions import Limits
    from tasks.health.facts import Facts
    from tasks.health.models import Finding

# condition -> what is said where nothing is amiss, and what would be well; the others have lines of their own with figures
WELL: Final[dict[Callable[[Facts, Limits], Iterator[Finding]], tuple[str, str]]] = {
    redis_lost: ("not lost", "no loss within an hour"),
    delivery_failing: ("every side takes what is sent", "an answer"),
    key_rejected: ("no key is refused", "every key is taken"),
    proof_broken: ("the last proof holds", "nothing unaccounted for"),
    runs_missed: ("none was left out", "within an hour"),
    schedule_late: ("everything due has run", "within two minutes"),
    sender_over_quota: ("all senders keep to their quota", "ingest.quota"),
    webhooks_disabled: ("not disabled by PagerDuty", "within 15 minutes"),
    pages_missed: ("PagerDuty shows what it took", "within 15 minutes"),
    nobody_answered: ("no policy at its end", "within ten minutes"),
}
GROUPS: Final = {
    "redis_lost": "server.data",
    "schedule_late": "schedules.missed",
    "runs_missed": "schedules.left_out",
    "proof_broken": "proof.holds",
}


def amiss_lines(facts: Facts, limits: Limits) -> Iterator[Line]:
    """A line for each condition, or several where it concerns several."""
    for check, (well, limit) in WELL.items():
        name = GROUPS.get(check.__name__, f"delivery.{check.__name__}")
        found = list(check(facts, limits))
        if not found:
            yield Line(name, "ok", well, limit)
        for one in found:
            yield Line(name, "fail" if one.severity == "critical" else "warn", one.summary, limit, one.mend)
