"""The parts of schedules of rotations (v3): what each of them must say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.fields import each, fields, moment, nullable, one_of, text, whole, zone
from deploy.sandbox.request import instant
from deploy.sandbox.rotations import recurrence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.fields import Reader, Reading
    from deploy.sandbox.store import Entity

STRATEGIES = ("rotating_member_assignment_strategy", "every_member_assignment_strategy")


def member(value: Any, at: str, reading: Reading) -> Any:
    """A user of the account, or nobody on purpose."""
    read: Any = _MEMBER(value, at, reading)
    named = isinstance(read, dict) and read.get("type") == "user_member"
    if named and reading.store.get("users", str(read.get("user_id"))) is None:
        reading.refuse(at, f"user_id {read.get('user_id')} was not found")
    return read


_MEMBER = fields({"type": one_of("user_member", "empty_member"), "user_id": text()}, ("type",))
TIME_OF_DAY = fields({"date_time": moment, "time_zone": zone}, ("date_time", "time_zone"))
EVENT: Mapping[str, Any] = {
    "name": text(255),
    "start_time": TIME_OF_DAY,
    "end_time": TIME_OF_DAY,
    "effective_since": moment,
    "effective_until": nullable(moment),
    "recurrence": each(text(500, 1), 1),
    "assignment_strategy": fields(
        {"type": one_of(*STRATEGIES), "shifts_per_member": whole(1), "members": each(member, 1, 20)},
        ("type", "members"),
    ),
}
NEEDED = tuple(name for name in EVENT if name != "effective_until")
RHYTHMS = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")


def event(value: Any, at: str, reading: Reading) -> Any:
    """An event of a rotation, whole."""
    before = len(reading.problems)
    read: Any = fields(EVENT, NEEDED)(value, at, reading)
    if len(reading.problems) == before:
        reading.problems += _event_problems(read)
    return read


TIMES: Mapping[str, Reader] = {"start_time": moment, "end_time": moment}
SHIFT: Mapping[str, Reader] = {
    **TIMES,
    "assignments": each(
        fields({"id": text(), "type": one_of("shift_assignment"), "member": member}, ("member",)), 1, 1
    ),
}
OVERRIDE: Mapping[str, Reader] = {
    **TIMES,
    "rotation_id": nullable(text()),
    "custom_shift_id": nullable(text()),
    "overridden_member": member,
    "overriding_member": member,
}
NAMED = {"id": text(least=1)}
PARTS: Mapping[str, Reader] = {
    "rotations": each(fields({**NAMED, "events": each(event)}, ("id", "events"))),
    "custom_shifts": each(fields({**NAMED, **SHIFT}, ("id", *SHIFT))),
    "overrides": each(fields({**NAMED, **OVERRIDE}, ("id", *TIMES, "overridden_member", "overriding_member"))),
}


def _event_problems(event: Entity) -> Iterable[str]:
    rules = [one for one in event["recurrence"] if not one.startswith(("EXDATE", "RDATE"))]
    if len(rules) != 1 or not any(f"FREQ={rhythm}" in rules[0] for rhythm in RHYTHMS):
        yield "Recurrence must have exactly one RRULE with a FREQ"
        return
    try:
        recurrence(event)
    except ValueError as error:
        yield f"Recurrence can't be read: {error}"
    if instant(event["end_time"]["date_time"], "end") <= instant(event["start_time"]["date_time"], "start"):
        yield "End time must be after start time"
    strategy = event["assignment_strategy"]
    if strategy["type"] == STRATEGIES[0] and "shifts_per_member" not in strategy:
        yield "Assignment strategy shifts_per_member can't be blank where members rotate"
