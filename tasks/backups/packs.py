"""Packs: files of many objects, so that ten thousand small ones are a few blobs. A pack goes by the SHA-256 of its content.

    mark (8 bytes, the last one says how objects are written) | object | object | … | directory | its length (4 bytes)

The directory is sealed like the objects: name and length of each, in order.
"""

from __future__ import annotations

import hashlib
import json
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from tasks.backups.codec import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tasks.backups.codec import Codec
    from tasks.backups.storage import Blob, Storage

FOLDER: Final = "packs"
MAGIC: Final = b"TOCSIN1"
START: Final = len(MAGIC) + 1
FULL: Final = 8 << 20  # bytes: a pack is stored once it is that large
DIRECTORY: Final = "directory"
_LENGTH: Final = struct.Struct(">I")


class Place(NamedTuple):
    """Where an object lies."""

    pack: str
    offset: int
    size: int


class PackWriter:
    """Gathers objects and stores them as packs; holds one pack in memory."""

    def __init__(self, storage: Storage, codec: Codec, full: int = FULL) -> None:
        self._storage = storage
        self._codec = codec
        self._full = full
        self._begin()
        self.bytes = 0

    def add(self, name: str, data: bytes) -> dict[str, Place]:
        """Take an object; the places of all objects that were stored by that, if a pack was full."""
        return self.add_stored(name, self._codec.seal(name, data))

    def add_stored(self, name: str, stored: bytes) -> dict[str, Place]:
        """The same with an object as another pack has it."""
        self._objects.append((name, len(stored)))
        self._body += stored
        return self.flush() if len(self._body) >= self._full else {}

    def flush(self) -> dict[str, Place]:
        """Store what there is; the places of its objects."""
        if not self._objects:
            return {}
        pack = _closed(self._body, self._objects, self._codec)
        name = f"{FOLDER}/{hashlib.sha256(pack).hexdigest()}"
        self._storage.put(name, pack)
        self.bytes += len(pack)
        places = _places(name, self._objects)
        self._begin()
        return places

    def _begin(self) -> None:
        self._body = bytearray(MAGIC + self._codec.mark)
        self._objects: list[tuple[str, int]] = []


def directory(storage: Storage, blob: Blob, codecs: Mapping[bytes, Codec]) -> tuple[Codec, dict[str, Place]]:
    """How a pack's objects are written, and where each of them lies. DamagedError: none of them can be found."""
    start = storage.get(blob.name, 0, START)
    codec = codecs.get(start[-1:])
    if codec is None or start[:-1] != MAGIC:
        raise DamagedError(f"{blob.name}: its first bytes are damaged, or it is encrypted with a key that is not here")
    try:
        [size] = _LENGTH.unpack(storage.get(blob.name, max(0, blob.size - _LENGTH.size)))
        stored = storage.get(blob.name, max(0, blob.size - _LENGTH.size - size), size)
        objects = json.loads(codec.unseal(DIRECTORY, stored))
    except (struct.error, DamagedError):
        raise DamagedError(f"{blob.name}: its directory is damaged, so none of its objects can be found") from None
    return codec, _places(blob.name, objects)


def is_whole(storage: Storage, blob: Blob) -> bool:
    """Whether the pack's content is still what its name says; this reads all of it."""
    return f"{FOLDER}/{hashlib.sha256(storage.get(blob.name)).hexdigest()}" == blob.name


def _closed(body: bytearray, objects: Iterable[tuple[str, int]], codec: Codec) -> bytes:
    listed = codec.seal(DIRECTORY, json.dumps(list(objects), separators=(",", ":")).encode())
    return bytes(body) + listed + _LENGTH.pack(len(listed))


def _places(pack: str, objects: Iterable[tuple[str, int]]) -> dict[str, Place]:
    places, offset = {}, START
    for name, size in objects:
        places[name] = Place(pack, offset, size)
        offset += size
    return places
