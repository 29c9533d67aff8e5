"""Objects that were found damaged: they count as missing, so the next backup stores them anew, which heals every snapshot."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from tasks.backups.codec import DamagedError
from tasks.backups.storage import MissingBlobError

if TYPE_CHECKING:
    from collections.abc import Collection

    from tasks.backups.packs import Place
    from tasks.backups.storage import Storage

NAME: Final = "repository.damage.json"


class Quarantine:
    """The places of damaged objects: (pack, object)."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def read(self) -> frozenset[tuple[str, str]]:
        """What is known to be damaged. DamagedError: the note itself is."""
        try:
            data = self._storage.get(NAME)
        except MissingBlobError:
            return frozenset()
        body, _, check = data.partition(b"\n")
        if check != hashlib.sha256(body).hexdigest().encode() + b"\n":
            raise DamagedError(f"{NAME} is damaged; the next `tocsin backups verify --read-data` writes it anew")
        return frozenset((pack, name) for pack, name in json.loads(body))

    def write(self, damaged: Collection[tuple[str, str]]) -> None:
        """Remember these and no others."""
        if not damaged:
            self._storage.delete(NAME)
            return
        body = json.dumps(sorted(damaged)).encode("ascii")
        self._storage.put(NAME, body + b"\n" + hashlib.sha256(body).hexdigest().encode() + b"\n")


def without(places: dict[str, Place], damaged: Collection[tuple[str, str]]) -> dict[str, Place]:
    """The places that can be counted on."""
    return {name: place for name, place in places.items() if (place.pack, name) not in damaged}
