"""Lists of what a snapshot holds, stored as objects themselves: snapshots between which little changed share most of their lists.

An entry is the item's id, the name of its object, and "file" where that object says how a file is put together. A list is cut behind
ids chosen by their checksum, so that a new id changes the piece it falls in and no other.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tasks.backups.objects import Objects

CUT: Final = 32  # one id of so many ends a piece
LONGEST: Final = 256
FILE: Final = "file"


class Entry(NamedTuple):
    """One item of a kind."""

    id: str
    object: str
    form: str = ""


def write_listing(objects: Objects, entries: Iterable[Entry]) -> str:
    """Store a list; the name of the object that leads to all of it."""
    pieces = [
        objects.add(_encode([list(filter(None, entry)) for entry in piece])) for piece in _pieces(sorted(entries))
    ]
    return objects.add(_encode(pieces))


def read_listing(objects: Objects, name: str) -> Iterator[Entry]:
    """The entries in the order of their ids. DamagedError: a piece is missing or damaged."""
    for piece in read_pieces(objects, name):
        yield from read_piece(objects, piece)


def read_pieces(objects: Objects, name: str) -> Sequence[str]:
    """The names of the pieces of a list."""
    return [str(piece) for piece in json.loads(objects.read(name))]


def read_piece(objects: Objects, name: str) -> Sequence[Entry]:
    """The entries of one piece."""
    return [Entry(*entry) for entry in json.loads(objects.read(name))]


def _encode(parts: Sequence[object]) -> bytes:
    return json.dumps(parts, separators=(",", ":")).encode("ascii")


def _pieces(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    piece: list[Entry] = []
    for entry in entries:
        piece.append(entry)
        if zlib.crc32(entry.id.encode("utf-8", "surrogatepass")) % CUT == 0 or len(piece) == LONGEST:
            yield piece
            piece = []
    if piece:
        yield piece
