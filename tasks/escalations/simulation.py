"""What a policy would do to an alert that nobody answers; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from tasks.escalations.policy import delay_of, due_after, round_of, step, why_left_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.escalations.policy import Hours, Policy, Step

Outcome = Literal["reached", "left out"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One step's turn: when, in which round, how long it waited for its hours, and whether it reaches anybody."""

    at: datetime
    step: Step
    round: int
    outcome: Outcome
    waited: timedelta
    why: str  # why it waited, or was left out


@dataclass(frozen=True, slots=True)
class Simulation:
    """Every turn in order. `resolved_at` is when the alert resolves by itself: no turn comes later."""

    policy: Policy
    at: datetime
    severity: str
    turns: tuple[Turn, ...]
    absent: tuple[Step, ...]  # steps that are not for such alerts
    resolved_at: datetime | None

    @property
    def end(self) -> datetime:
        """The last moment of which there is something to tell."""
        return max([self.at, *(turn.at for turn in self.turns), *([self.resolved_at] if self.resolved_at else [])])


def simulate(policy: Policy, at: datetime, severity: str) -> Simulation:
    """Who is reached when, if an alert of this severity begins at `at` and nobody answers. The fleet is punctual here."""
    at = at.astimezone(UTC)
    mine = policy.of(severity)
    resolved_at = at + policy.auto_resolve if policy.auto_resolve else None
    turns = tuple(_turns(mine, at, resolved_at))
    kept = {one.name for one in mine.steps}
    absent = tuple(one for one in policy.steps if one.name not in kept)
    return Simulation(policy, at, severity, turns, absent, resolved_at)


def _turns(policy: Policy, at: datetime, resolved_at: datetime | None) -> Iterator[Turn]:
    for taken in range(policy.length):
        due, following = due_after(policy, taken, at), step(policy, taken)
        if due is None or following is None or (resolved_at is not None and due >= resolved_at):
            return
        yield _turn(policy, taken, following, due, at)
        at = due


def _turn(policy: Policy, taken: int, following: Step, due: datetime, before: datetime) -> Turn:
    number = round_of(policy, taken)
    left_out = why_left_out(policy, taken, due)
    if left_out:
        return Turn(due, following, number, "left out", timedelta(), left_out)
    waited = due - before - (delay_of(policy, taken) or timedelta())
    why = _waiting(following.hours, due) if following.hours and waited else ""
    return Turn(due, following, number, "reached", waited, why)


def _waiting(hours: Hours, due: datetime) -> str:
    return f"{'until' if hours.inside else 'past'} {hours.calendar}: there it is {hours.calendar.wall(due):%a %H:%M}"
