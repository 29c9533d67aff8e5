"""Where everything stands on a chart of a simulation: a lane for each step, time from left to right; pure.

Minutes and weekends share one axis, so a stretch in which nothing happens is drawn by the logarithm of its length.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.escalations.policy import Hours, Step
    from tasks.escalations.simulation import Simulation, Turn

MARGIN = 0.03  # of the axis, before the first moment and after the last
MOST_BANDS = 400
MINUTE = timedelta(minutes=1)


class Mark(NamedTuple):
    """A step's turn at its place on the axis, from 0 to 1."""

    x: float
    turn: Turn


class Band(NamedTuple):
    """A stretch of the axis in which a step's hours hold."""

    start: float
    end: float


class Lane(NamedTuple):
    """One step: its turns, and when it may be taken (always, if there are no hours)."""

    step: Step
    marks: tuple[Mark, ...]
    bands: tuple[Band, ...]


class Tick(NamedTuple):
    """A moment that the axis names."""

    x: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Chart:
    """Lanes from above to below in the order of the policy, the ticks of the axis, and where the alert resolves by itself."""

    simulation: Simulation
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    resolved: float | None


def chart_of(simulation: Simulation) -> Chart:
    """The chart of a simulation."""
    scale = _Scale(_moments(simulation))
    turns = simulation.turns
    steps = dict.fromkeys(
        (*simulation.policy.steps, *([simulation.policy.hand_over] if simulation.policy.hand_over else []))
    )
    gone = {step.name for step in simulation.absent}
    lanes = tuple(
        Lane(
            step,
            tuple(Mark(scale.x(turn.at), turn) for turn in turns if turn.step.name == step.name),
            tuple(_bands(step.hours, simulation, scale)) if step.hours else (Band(0, 1),),
        )
        for step in steps
        if step.name not in gone
    )
    ticks = tuple(Tick(scale.x(at), at) for at in _moments(simulation))
    resolved = scale.x(simulation.resolved_at) if simulation.resolved_at else None
    return Chart(simulation, lanes, ticks, resolved)


def _moments(simulation: Simulation) -> list[datetime]:
    ends = [simulation.resolved_at] if simulation.resolved_at else []
    return sorted({simulation.at, *(turn.at for turn in simulation.turns), *ends})


class _Scale:
    """Moments to places between 0 and 1: straight between two neighbours, their distance by the logarithm of the time between."""

    def __init__(self, moments: list[datetime]) -> None:
        self._moments = moments
        self._sums = [0.0]
        for before, after in pairwise(moments):
            self._sums.append(self._sums[-1] + log2(2 + (after - before) / MINUTE))

    def x(self, at: datetime) -> float:
        whole = self._sums[-1]
        if not whole:
            return MARGIN
        after = min(max(bisect_right(self._moments, at), 1), len(self._moments) - 1)
        first, last = self._moments[after - 1], self._moments[after]
        part = (at - first) / (last - first)
        place = self._sums[after - 1] + part * (self._sums[after] - self._sums[after - 1])
        return MARGIN + (1 - 2 * MARGIN) * min(max(place / whole, 0), 1)


def _bands(hours: Hours, simulation: Simulation, scale: _Scale) -> Iterator[Band]:
    """The stretches in which hours hold, from the beginning to the last moment."""
    at: datetime | None = simulation.at
    for _ in range(MOST_BANDS):
        start = hours.calendar.next_when(at, is_open=hours.inside) if at else None
        if start is None or start > simulation.end:
            return
        at = hours.calendar.next_when(start, is_open=not hours.inside)
        begin = 0.0 if start == simulation.at else scale.x(start)
        yield Band(begin, 1.0 if at is None or at > simulation.end else scale.x(at))
