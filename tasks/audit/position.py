"""Where the archive ends and the live stream goes on: sealing and proving agree on it, also after crash or loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.audit.chain import START, Head
from tasks.utils.ledger import BEFORE_ALL, Ledger, order

if TYPE_CHECKING:
    from tasks.utils.keys import Keys


class Sealed(NamedTuple):
    """What Redis knows of the archive. `trimmed` is the id of the last entry that left the stream."""

    head: Head
    trimmed: str


class Position(NamedTuple):
    """Go on behind `head`, with the entries behind stream id `after`.

    `lost` is True when entries between the archive's end and `head` are neither in this archive nor in the stream.
    """

    head: Head
    after: str
    lost: bool = False

    def first_missing(self, tail: Head | None) -> str:
        """Behind which stream id to read so as to see whatever the archive, ending at `tail`, does not hold."""
        return (tail or START).id if self.lost else self.after


def sealed_in_redis(client: Any, keys: Keys) -> Sealed | None:
    """How far Redis says the ledger is sealed; None when it does not know (nothing sealed yet, or everything lost)."""
    number, entry_id, digest, trimmed = client.hmget(keys.seal, "n", "id", "hash", "trimmed")
    return Sealed(Head(int(number), entry_id, digest), trimmed or BEFORE_ALL) if entry_id else None


def position(tail: Head | None, sealed: Sealed | None, ledger: Ledger) -> Position:
    """Where to go on, given the archive's end and what Redis says.

    Redis behind the files: a crash between writing and noting; the files are right. Files behind Redis: another machine
    sealed, or lines were lost; the stream still has them, unless they were trimmed. Redis without a note: it is new, or
    it lost everything and its stream began anew.
    """
    if sealed is None:
        same_stream = tail is not None and ledger.holds(tail.id)
        return Position(tail or START, tail.id if tail and same_stream else BEFORE_ALL)
    mine = tail or START
    if order(mine.id) > order(sealed.head.id):
        return Position(mine, mine.id)
    if mine.id == sealed.head.id:
        return Position(sealed.head, mine.id)
    if order(mine.id) >= order(sealed.trimmed):
        return Position(mine, mine.id)
    return Position(sealed.head, sealed.head.id, lost=True)
