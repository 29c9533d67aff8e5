"""What goes wrong and when: made from a seed, data that can be printed and replayed."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.chaos.kit.faults import Kind

SERVER_APART = 20.0  # seconds between two faults of the server itself
CALM = 3.0  # seconds at the beginning, and before the load ends


@dataclass(frozen=True, order=True)
class Strike:
    """One fault: when (seconds after the load began), of which kind, for how long, and on what."""

    at: float
    kind: str
    seconds: float
    target: str = ""

    def __str__(self) -> str:
        return f"{self.at:7.1f} s  {self.kind:24} {self.seconds:4.1f} s  {self.target}"


def make_plan(seed: int, seconds: float, count: int, kinds: Mapping[str, Kind]) -> list[Strike]:
    """`count` strikes spread over so many seconds, each kind about as often as any other.

    Two faults of one place never overlap, where a place is what a fault concerns: a process, the server, a link, the weather.
    """
    dice = random.Random(seed)
    planner = _Planner(dice, kinds)
    slot = (seconds - 2 * CALM) / count
    return [planner.next(CALM + slot * (number + dice.uniform(0.1, 0.9))) for number in range(count)]


def to_text(plan: Iterable[Strike]) -> str:
    """The plan as JSON lines."""
    return "".join(json.dumps(asdict(strike)) + "\n" for strike in plan)


def from_text(text: str) -> list[Strike]:
    """The plan that `to_text` wrote."""
    return [Strike(**json.loads(line)) for line in text.splitlines() if line.strip()]


class _Planner:
    """Deals kinds like cards: none comes again before all others had their turn, unless their place is taken."""

    def __init__(self, dice: random.Random, kinds: Mapping[str, Kind]) -> None:
        self._dice = dice
        self._kinds = kinds
        self._deck: list[str] = []
        self._free_from: dict[str, float] = {}

    def next(self, at: float) -> Strike:
        """A strike at that time, on a place that is free then."""
        for name in self._cards():
            kind = self._kinds[name]
            seconds = round(self._dice.uniform(*kind.lasts), 1)
            target = self._dice.choice(kind.targets) if kind.targets else ""
            place = target or kind.place
            if self._free_from.get(place, 0.0) <= at:
                self._deck.remove(name)
                self._free_from[place] = at + max(seconds + 1.0, SERVER_APART if place == "server" else 0.0)
                return Strike(round(at, 2), name, seconds, target)
        raise ValueError(f"too many faults for so short a time: every place is taken at {at:.0f} s; ask for fewer")

    def _cards(self) -> list[str]:
        if len(self._deck) < len(self._kinds):
            fresh = list(self._kinds)
            self._dice.shuffle(fresh)
            self._deck += fresh
        return list(self._deck)
