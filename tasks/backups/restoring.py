"""How items are brought back: a plan that changes nothing, then its doing, written down step by step so that it can go on after a crash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tasks.backups.items import Progress

Verb = Literal["create", "change", "leave", "cannot"]


class Journal(Protocol):
    """What a restore has done so far, kept on disk, so that one that was killed goes on where it stopped."""

    def read(self) -> Iterator[dict[str, Any]]:
        """All that was written, in order; also by a run before this one."""
        ...

    def write(self, entry: dict[str, Any]) -> None:
        """Add an entry; on disk once this returns."""
        ...


class Restorer(Protocol):
    """Brings one source's items back. A plan is made first, and changes nothing."""

    def plan(self, items: Iterable[Any]) -> Plan:
        """What would be done with these: `Item`, and `StoredFile` where the source has files.

        TransientError, PermanentError: the target cannot be looked at.
        """
        ...

    def apply(self, plan: Plan, journal: Journal, progress: Progress) -> Outcome:
        """Do it, going on where the journal ends. Running it again after its end changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What a restore does with one item; `why` says what cannot be restored and the reason, `fields` what differs."""

    verb: Verb
    kind: str
    id: str
    title: str = ""
    why: str = ""
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a restore would do, in the order in which it would. Restorers may make a subclass that carries more."""

    changes: tuple[Change, ...]

    def counts(self) -> dict[str, int]:
        """How many changes there are of each verb."""
        found = {"create": 0, "change": 0, "leave": 0, "cannot": 0}
        for change in self.changes:
            found[change.verb] += 1
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a restore did: how many it made and changed, and every difference that reading again found and the plan did not name."""

    created: int
    changed: int
    differences: tuple[Change, ...] = ()
