"""Files within snapshots: cut into chunks, so that a file that only grew shares all but its last one with the file before."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tasks.backups.items import canonical
from tasks.utils.error_handler import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tasks.backups.objects import Objects

    Masked = Callable[[Iterator[bytes]], Iterator[bytes]]
    """A file's chunks without what must not lie in a backup."""

CHUNK: Final = 256 * 1024
TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as a backup has it; `read` gives its content chunk by chunk."""

    kind: str
    id: str
    size: int
    mode: int
    read: Callable[[], Iterator[bytes]]


def write_file(objects: Objects, path: Path, masked: Masked = iter) -> tuple[str, int]:
    """Store a file as it is now, without what `masked` takes out; the name of the object that says how it is put together, and its size.

    What is appended meanwhile is left to the next snapshot. A file that is changed otherwise while it is read is read again;
    TransientError: it never rests.
    """
    for _ in range(TRIES):
        before = path.stat()
        sizes, chunks = [], []
        for chunk in masked(_chunks(path, before.st_size)):
            sizes.append(len(chunk))
            chunks.append(objects.add(chunk))
        after = path.stat()
        has_only_grown = after.st_ino == before.st_ino and after.st_size >= before.st_size
        if has_only_grown and (after.st_mtime_ns == before.st_mtime_ns or after.st_size > before.st_size):
            mode = stat.S_IMODE(before.st_mode)
            return objects.add(canonical({"size": sum(sizes), "mode": mode, "chunks": chunks})), sum(sizes)
    raise TransientError(f"{path} is being written to all the time; back up when it rests")


def stored_file(objects: Objects, kind: str, item_id: str, name: str) -> StoredFile:
    """A file of a backup. DamagedError: what says how it is put together is missing or damaged."""
    told = json.loads(objects.read(name))
    chunks = [str(chunk) for chunk in told["chunks"]]
    return StoredFile(kind, item_id, int(told["size"]), int(told["mode"]), lambda: map(objects.read, chunks))


def chunks_of(objects: Objects, name: str) -> list[str]:
    """The names of the objects that a file is put together of."""
    return [str(chunk) for chunk in json.loads(objects.read(name))["chunks"]]


def _chunks(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while size > 0 and (chunk := file.read(min(CHUNK, size))):
            size -= len(chunk)
            yield chunk
