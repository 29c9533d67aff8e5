"""A policy as its file says it, made into the one that decides; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.routing import minutes_of
from tasks.escalations.calendar import DAYS, Calendar, Holiday, Span
from tasks.escalations.policy import HAND_OVER, Hours, Policy, Step, Target, TargetKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.holidays import Holidays
    from config.policies import BusinessHours, EscalationPolicy, When
    from config.routing import Window

KINDS: Final[Mapping[str, TargetKind]] = {
    "channel": "channel",
    "webhook": "webhook",
    "user": "pagerduty_user",
    "schedule": "pagerduty_schedule",
    "policy": "pagerduty_policy",
}


def compiled(said: EscalationPolicy, holidays: Mapping[str, Holidays]) -> Policy:
    """The policy; `holidays` are all lists there are, by name."""
    calendars = {hours.name: _calendar(hours, holidays) for hours in said.hours}
    end = said.hand_over
    return Policy(
        name=said.name,
        steps=tuple(_step(said, index, calendars) for index in range(len(said.steps))),
        repeats=said.repeats,
        repeat_after=said.repeat_after,
        hand_over=Step(HAND_OVER, end.after, (Target("pagerduty_policy", end.policy),)) if end else None,
        acknowledgement_timeout=said.acknowledgement_timeout,
        auto_resolve=said.auto_resolve,
        escalates_unseen=said.on_no_receipt == "escalate",
    )


def _step(said: EscalationPolicy, index: int, calendars: Mapping[str, Calendar]) -> Step:
    step = said.steps[index]
    limited = bool(step.when.severity or step.when.urgency)
    return Step(
        name=said.step_name(index),
        after=step.after,
        targets=tuple(Target(KINDS[kind], value) for kind, value in (target.named for target in step.targets)),
        severities=said.severities_of(step.when) if limited else (),
        hours=_hours(step.when, calendars),
    )


def _hours(when: When, calendars: Mapping[str, Calendar]) -> Hours | None:
    name = when.hours or when.outside
    return Hours(calendars[name], when.hours is not None, when.otherwise == "wait") if name else None


def _calendar(hours: BusinessHours, lists: Mapping[str, Holidays]) -> Calendar:
    days = {day: name for one in hours.holidays for day, name in lists[one].by_day().items()}
    spans = tuple(_span(window) for window in hours.times)
    return Calendar(hours.name, hours.time_zone, spans, tuple(Holiday(*one) for one in sorted(days.items())))


def _span(window: Window) -> Span:
    days = tuple(sorted({DAYS.index(day) for day in window.days}))
    return Span(days, minutes_of(window.start), minutes_of(window.end))
