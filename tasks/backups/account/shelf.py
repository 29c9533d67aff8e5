"""Many items in little memory: each is held as compressed bytes."""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import TYPE_CHECKING

from tasks.backups.account.kinds import ORDER
from tasks.backups.items import Item, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Name = tuple[str, str]


class Shelf:
    """Items by kind and id; a later one takes the place of an earlier one of the same name."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._held: dict[str, dict[str, bytes]] = {}
        for item in items:
            self.put(item)

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    def __iter__(self) -> Iterator[Item]:
        """All, in the order in which each names only what came before it."""
        for kind in sorted(self._held, key=lambda name: ORDER.get(name, len(ORDER))):
            yield from self.of(kind)

    def put(self, item: Item) -> None:
        """Hold it."""
        self._held.setdefault(item.kind, {})[item.id] = zlib.compress(canonical(item.document), 1)

    def get(self, kind: str, item_id: str) -> Item | None:
        """The one of that name."""
        held = self._held.get(kind, {}).get(item_id)
        return None if held is None else Item(kind, item_id, json.loads(zlib.decompress(held)))

    def drop(self, name: Name) -> None:
        """Hold it no longer."""
        self._held.get(name[0], {}).pop(name[1], None)

    def of(self, kind: str) -> Iterator[Item]:
        """Those of a kind, in the order in which they came."""
        for item_id, held in list(self._held.get(kind, {}).items()):
            yield Item(kind, item_id, json.loads(zlib.decompress(held)))

    def ids(self, kind: str) -> list[str]:
        """The ids of a kind, in the order in which they came."""
        return list(self._held.get(kind, ()))

    def count(self, kind: str) -> int:
        """How many of a kind."""
        return len(self._held.get(kind, ()))


def fingerprint(items: Iterable[Item], stamps: object = None) -> bytes:
    """Sixteen bytes that are others when any of the items, or the stamps, are."""
    digest = hashlib.blake2b(repr(stamps).encode(), digest_size=16)
    for item in items:
        digest.update(item.name.encode() + b"\0" + canonical(item.document))
    return digest.digest()
