"""Who is called next, and when, while nobody answers: a policy as it is frozen into an escalation, and its decisions.

Pure: no clock, no I/O. Moments that come in are aware, those that go out are in UTC. A delay is time that passes, whatever
clocks on walls do meanwhile; hours are wall time (tasks/escalations/calendar.py). What each rule is for: docs/escalations.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tasks.escalations.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

TargetKind = Literal["channel", "webhook", "pagerduty_user", "pagerduty_schedule", "pagerduty_policy"]
HAND_OVER: Final = "hand-over"
_MS: Final = timedelta(milliseconds=1)


class Target(NamedTuple):
    """Whom a step reaches: a channel of the service by name (`webhook`: one of that kind), or something of PagerDuty by id."""

    kind: TargetKind
    value: str


class Hours(NamedTuple):
    """When a step may be taken: while a calendar is open, or while it is not; and whether it waits for that, or is left out."""

    calendar: Calendar
    inside: bool
    waits: bool

    def fit(self, at: datetime) -> bool:
        """Whether the step may be taken then."""
        return self.calendar.is_open(at) is self.inside


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `after` counts from the step before it, that of the first from the alert's beginning."""

    name: str
    after: timedelta
    targets: tuple[Target, ...]
    severities: tuple[str, ...] = ()  # none = all
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy. Its steps are taken in order, the list as a whole `repeats` times more, then the hand-over once."""

    name: str
    steps: tuple[Step, ...]
    repeats: int = 0
    repeat_after: timedelta = timedelta(minutes=15)  # from the last step of a round to the first of the next
    hand_over: Step | None = None
    acknowledgement_timeout: timedelta | None = None  # from the acknowledgement; then `due_from(policy, 0, then)`
    auto_resolve: timedelta | None = None  # from the alert's beginning
    escalates_unseen: bool = False  # PagerDuty showed no incident: `due_from(policy, taken, then)`

    def of(self, severity: str) -> Policy:
        """What is frozen for an alert of this severity: steps for others are not there at all, so `taken` does not count them."""
        kept = tuple(step for step in self.steps if not step.severities or severity in step.severities)
        return replace(self, steps=tuple(replace(step, severities=()) for step in kept))

    @property
    def length(self) -> int:
        """How many steps there are until it is used up, with those of all rounds and the hand-over."""
        return len(self.steps) * (self.repeats + 1) + (self.hand_over is not None) if self.steps else 0

    def to_json(self) -> str:
        """Itself, holidays included, as one compact text; equal policies give equal texts."""
        return json.dumps(_plain(self), separators=(",", ":"), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Policy:
        """The policy that `to_json` was asked of."""
        return _thawed(json.loads(text))

    @property
    def digest(self) -> str:
        """A name for exactly this policy, so that many escalations can share one frozen text."""
        return sha256(self.to_json().encode()).hexdigest()[:16]


def first_due(policy: Policy, at: datetime, severity: str) -> datetime | None:
    """When the first step is due for an alert that begins at `at`; None where no step is for alerts of its severity."""
    return due_after(policy.of(severity), 0, at)


def step(policy: Policy, taken: int) -> Step | None:
    """The step that follows `taken` steps (left out or not), None once the policy is used up."""
    if not 0 <= taken < policy.length:
        return None
    if taken < len(policy.steps) * (policy.repeats + 1):
        return policy.steps[taken % len(policy.steps)]
    return policy.hand_over


def due_after(policy: Policy, taken: int, at: datetime) -> datetime | None:
    """When the step that follows `taken` steps is due, the last of them taken at `at` (with none: the alert's beginning).

    None once the policy is used up. A step outside its hours is due when they come, or, if it does not wait for them, when
    its delay is over: then `why_left_out` names the reason.
    """
    delay = delay_of(policy, taken)
    return None if delay is None else due_from(policy, taken, at.astimezone(UTC) + delay)


def due_from(policy: Policy, taken: int, at: datetime) -> datetime | None:
    """The same where no delay is to pass any more: the first moment from `at` on; None once the policy is used up."""
    following = step(policy, taken)
    if following is None:
        return None
    at, hours = at.astimezone(UTC), following.hours
    if hours is None or not hours.waits:
        return at
    return hours.calendar.next_when(at, is_open=hours.inside) or at


def why_left_out(policy: Policy, taken: int, due: datetime) -> str | None:
    """Why the step that follows `taken` steps, due then, reaches nobody; None where it is to be taken.

    It counts as taken, so that the steps after it come when they would have come. `due` is the promised moment, not the one
    at which somebody got round to it: a late step is late, not outside its hours.
    """
    following = step(policy, taken)
    hours = following.hours if following else None
    return None if hours is None or hours.fit(due) else hours.calendar.why(due)


def delay_of(policy: Policy, taken: int) -> timedelta | None:
    """How long after the step before it that step is due; None once the policy is used up."""
    following = step(policy, taken)
    if following is None:
        return None
    begins_anew = taken > 0 and taken % len(policy.steps) == 0 and following is not policy.hand_over
    return policy.repeat_after if begins_anew else following.after


def round_of(policy: Policy, taken: int) -> int:
    """The round, from 1, that the step after `taken` steps belongs to; the hand-over is of the last."""
    return min(taken // len(policy.steps), policy.repeats) + 1 if policy.steps else 1


def _plain(policy: Policy) -> dict[str, Any]:
    every = [*policy.steps, *([policy.hand_over] if policy.hand_over else [])]
    calendars = {one.hours.calendar.name: one.hours.calendar.plain() for one in every if one.hours}
    return {
        "name": policy.name,
        "calendars": calendars,
        "steps": [_plain_step(one) for one in policy.steps],
        "repeats": policy.repeats,
        "repeat_after": policy.repeat_after // _MS,
        "hand_over": _plain_step(policy.hand_over) if policy.hand_over else None,
        "acknowledgement_timeout": _plain_span(policy.acknowledgement_timeout),
        "auto_resolve": _plain_span(policy.auto_resolve),
        "escalates_unseen": policy.escalates_unseen,
    }


def _plain_step(one: Step) -> dict[str, Any]:
    hours = [one.hours.calendar.name, one.hours.inside, one.hours.waits] if one.hours else None
    return {
        "name": one.name,
        "after": one.after // _MS,
        "targets": [list(target) for target in one.targets],
        "severities": list(one.severities),
        "hours": hours,
    }


def _thawed(plain: dict[str, Any]) -> Policy:
    calendars = {name: Calendar.thawed(name, one) for name, one in plain["calendars"].items()}
    hand_over = plain["hand_over"]
    return Policy(
        name=plain["name"],
        steps=tuple(_thawed_step(one, calendars) for one in plain["steps"]),
        repeats=plain["repeats"],
        repeat_after=plain["repeat_after"] * _MS,
        hand_over=_thawed_step(hand_over, calendars) if hand_over else None,
        acknowledgement_timeout=_thawed_span(plain["acknowledgement_timeout"]),
        auto_resolve=_thawed_span(plain["auto_resolve"]),
        escalates_unseen=plain["escalates_unseen"],
    )


def _thawed_step(plain: dict[str, Any], calendars: dict[str, Calendar]) -> Step:
    hours: Sequence[Any] | None = plain["hours"]
    return Step(
        name=plain["name"],
        after=plain["after"] * _MS,
        targets=tuple(Target(*one) for one in plain["targets"]),
        severities=tuple(plain["severities"]),
        hours=Hours(calendars[hours[0]], hours[1], hours[2]) if hours else None,
    )


def _plain_span(span: timedelta | None) -> int | None:
    return None if span is None else span // _MS


def _thawed_span(span: int | None) -> timedelta | None:
    return None if span is None else span * _MS
