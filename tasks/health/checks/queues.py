"""How much waits in every queue and where rows are kept, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.health.waiting import QUEUES
from tasks.utils.health_monitor import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.health.waiting import Standstill
    from tasks.utils.health_monitor import State

WORSE: Final = 5  # times the limit: no more a matter of a busy moment
# rows -> their name for people, from when on (s) they are late, who takes them
ROWS: Final[dict[str, tuple[str, int, str]]] = {
    "inbox": ("alerts to be decided on", 10, "alert"),
    "outbox": ("deliveries", 60, "delivery"),
    "bundles": ("pieces of news to be told together", 10, "delivery"),
    "webhooks": ("answers of PagerDuty", 10, "webhook"),
    "timers": ("timers of escalations", 10, "delivery"),
}
THE_OTHER_SIDE: Final = (
    "see `tocsin notifications breakers`, `tocsin notifications limits`: PagerDuty may not take them, or no more; else "
)


def queue_lines(waiting: Standstill, *, most: int, age_ms: int) -> Iterator[Line]:
    """A line for each queue."""
    for name, group in QUEUES.items():
        one = waiting.queues[name]
        state = _state(one.late, age_ms) if one.late > age_ms else "warn" if one.count > most else "ok"
        held = f", {one.taken} with workers" if one.taken else ""
        value = f"{one.count} messages, the oldest {_seconds(one.late)}{held}"
        mend = "" if state == "ok" else f"start `tocsin worker {group}`, or more of them; look at their logs"
        yield Line(f"queues.{name}", state, value, f"{age_ms / 1000:g} s, {most:,} messages", mend)


def row_lines(waiting: Standstill) -> Iterator[Line]:
    """A line for each place where rows wait for their time; only what is overdue is amiss."""
    for name, (words, limit, group) in ROWS.items():
        one = waiting.rows[name]
        old = one.age if name == "outbox" else one.late
        state = _state(old, limit * 1000)
        late = f", the first {_seconds(old)} old" if old >= 1000 else ", none late"
        workers = f"start `tocsin worker {group}`, or more of them; look at their logs"
        mend = "" if state == "ok" else (THE_OTHER_SIDE if name == "outbox" else "") + workers
        yield Line(f"late.{name}", state, f"{one.count} {words}{late}", f"{limit} s", mend)


def _state(late_ms: int, limit_ms: int) -> State:
    return "ok" if late_ms <= limit_ms else "warn" if late_ms <= WORSE * limit_ms else "fail"


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.0f} s" if ms < 600_000 else f"{ms / 60_000:.0f} min"
