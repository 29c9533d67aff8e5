"""What a fault is, and what a kind of faults is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.kit.stage import Stage


class Fault(ABC):
    """One thing that goes wrong on a stage."""

    def __init__(self, stage: Stage, target: str = "") -> None:
        self.stage = stage
        self.target = target

    @abstractmethod
    def strike(self) -> None:
        """Begin."""

    @abstractmethod
    def heal(self) -> None:
        """End, and leave things as they were."""

    def may_repeat(self) -> int:
        """How many events may reach PagerDuty twice because of it, beyond what the sandbox itself has spoilt."""
        return 0


@dataclass(frozen=True)
class Kind:
    """A kind of fault: how it is made, what it concerns, and for how many seconds it lasts."""

    make: Callable[[Stage, str], Fault]
    place: str
    lasts: tuple[float, float]
    targets: tuple[str, ...] = ()
    """Processes to choose from."""
