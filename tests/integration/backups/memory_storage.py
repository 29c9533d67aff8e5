"""A storage with no folder behind it, as an object store is: whole blobs by name, listed by prefix."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tasks.backups.storage import Blob, Hold, MissingBlobError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class MemoryStorage:
    """Blobs in a dictionary."""

    place = "memory"

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def put(self, name: str, data: bytes) -> None:
        self.blobs[name] = bytes(data)

    def get(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        if name not in self.blobs:
            raise MissingBlobError(name)
        return self.blobs[name][offset : None if size is None else offset + size]

    def list(self, folder: str) -> Sequence[Blob]:
        found = [Blob(name, len(data)) for name, data in self.blobs.items() if name.startswith(f"{folder}/")]
        return sorted(found, key=lambda blob: blob.name)

    def delete(self, name: str) -> None:
        self.blobs.pop(name, None)

    def strangers(self) -> Sequence[Blob]:
        return []

    @contextmanager
    def hold(self, how: Hold) -> Iterator[None]:
        assert isinstance(how, Hold)
        yield
