"""What can be cleaned up: one file, or one page of rows, at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

Kind = Literal["results", "ledgers", "audit", "dead_letters", "worker_logs", "metrics", "exports", "spool", "temp"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True)
class Item:
    """One thing that is past its time. `first` and `last` bound what it tells of.

    `services`: those it tells of; None where that is not known, so that it may be any. `open`: why it must stay all the same.
    `ids`: of the rows, where it is a page of them.
    """

    kind: Kind
    name: str
    bytes: int
    first: datetime
    last: datetime
    services: frozenset[str] | None = None
    open: str = ""
    ids: tuple[str, ...] = ()


class Source(Protocol):
    """Where things of one class lie."""

    kind: Kind
    is_row: bool
    """Whether one may only go when all before it have gone."""

    def items(self, before: datetime) -> Iterator[Item]:
        """What tells of nothing after that moment, oldest first; also what must stay, which says why."""
        ...

    def read(self, item: Item) -> AbstractContextManager[BinaryIO]:
        """Its content; the same again at every reading, unless it has changed."""
        ...

    def remove(self, item: Item, archive: str) -> bool:
        """Delete it: it is in that archive. False where somebody else has done so, or it has changed meanwhile."""
        ...

    def has(self, name: str) -> bool:
        """Whether things of that name are of this source."""
        ...

    def needs(self, name: str, other: str) -> bool:
        """Whether bringing back the one is of no use without the other."""
        ...

    def bring_back(self, name: str, content: BinaryIO) -> str:
        """Put what an archive holds back where it was; says where. PermanentError where something else is there."""
        ...
