"""Who is on call: for a schedule, for a level of an escalation policy, at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from deploy.sandbox.layers import schedule_shifts
from deploy.sandbox.names import resolve
from deploy.sandbox.rotations import rotation_shifts
from deploy.sandbox.shifts import Shift, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.sandbox.store import Entity, Store

DAY = 86_400.0
BEFORE = 35 * DAY
AHEAD = 90 * DAY


@dataclass(frozen=True, slots=True)
class OnCall:
    """One entry: a user on a level of a policy, by way of a schedule or for good. None: since or until for ever."""

    policy: Entity
    level: int
    user_id: str
    schedule: Entity | None = None
    start: float | None = None
    end: float | None = None


def on_call(store: Store, policy_id: str, level: int, at: float) -> list[str]:
    """The ids of the users on call at a level (from 1) of an escalation policy, each once."""
    policy = store.get("escalation_policies", policy_id)
    if policy is None or not 1 <= level <= len(policy["escalation_rules"]):
        return []
    found: dict[str, None] = {}
    for target in policy["escalation_rules"][level - 1]["targets"]:
        entity = resolve(store, target)
        if entity is None:
            continue
        found |= dict.fromkeys([target["id"]] if target["type"] == "user_reference" else _on(store, entity, at))
    return list(found)


def entries(store: Store, policy: Entity, span: Span) -> Iterator[OnCall]:
    """Everybody on call for a policy at any time of the span, level by level."""
    for level, rule in enumerate(policy["escalation_rules"], 1):
        for target in rule["targets"]:
            schedule = resolve(store, target)
            if target["type"] == "user_reference":
                yield OnCall(policy, level, target["id"])
            elif schedule is not None:
                for one in whole_shifts(store, schedule, span):
                    yield OnCall(policy, level, one.user, schedule, one.start, one.end)


def whole_shifts(store: Store, schedule: Entity, span: Span) -> list[Shift]:
    """The shifts that touch the span, from their real beginning to their real end.

    What began more than five weeks before, or lasts more than 90 days longer, is cut there.
    """
    until = max(span.end, span.start + 1)
    found: list[Shift] = []
    # Most turns last for a day or a week: looking no farther than it takes saves most of the work.
    for before, ahead in ((2 * DAY, 2 * DAY), (9 * DAY, 9 * DAY), (BEFORE, AHEAD)):
        around = Span(span.start // DAY * DAY - before, until // DAY * DAY + DAY + ahead)
        shifts = store.recall(("shifts", schedule["id"], around), partial(shifts_of, schedule, around))
        found = [one for one in shifts if one.start < until and one.end > span.start]
        if all(one.start > around.start and one.end < around.end for one in found):
            break
    return found


def shifts_of(schedule: Entity, span: Span) -> list[Shift]:
    """Who is on call in a schedule of either kind, within the span."""
    return rotation_shifts(schedule, span) if "schedule_layers" not in schedule else schedule_shifts(schedule, span)


def _on(store: Store, schedule: Entity, at: float) -> list[str]:
    day = at // DAY * DAY
    shifts = store.recall(("on", schedule["id"], day), lambda: shifts_of(schedule, Span(day, day + DAY)))
    return [one.user for one in shifts if one.start <= at < one.end]
