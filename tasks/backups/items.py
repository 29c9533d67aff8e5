"""What a backup is made of: items, each with a kind, an id and a document, and the sources that they are read from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Progress = Callable[[int, int | None, str], None]
    """Told how far a long run is: how many are done, of how many (None: nobody knows yet), and of what."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of a snapshot. `kind` and `id` name it within its source; the same document is stored once, however often it is seen."""

    kind: str
    id: str
    document: dict[str, Any]

    @property
    def name(self) -> str:
        """The item's address within its source."""
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class FileItem:
    """A file of a snapshot, stored in chunks: a folder's YAML, a ledger's archive."""

    kind: str
    id: str
    path: Path

    @property
    def name(self) -> str:
        """The item's address within its source."""
        return f"{self.kind}/{self.id}"


class Source(Protocol):
    """A part of the world that a snapshot holds; `name` is `account`, `state` or `config`."""

    name: str

    def read(self, progress: Progress) -> Iterator[Item | FileItem]:
        """Every item, one after another and in any order, never all of them in memory. A name comes once."""
        ...


def canonical(document: dict[str, Any]) -> bytes:
    """The document as bytes, the same for equal documents. ValueError: a number that JSON has no word for."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
