"""Append-only files that survive a crash: what was told to be written is on the disk, and half a line is no line."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
_CHUNK: Final = 65_536


def append(path: Path, data: bytes) -> None:
    """Add whole lines to a file and wait until the disk has them."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def replace_whole(path: Path, data: bytes) -> None:
    """Put another file in the place of one; whatever happens, one of the two is there, and on return the disk has the new one."""
    draft = path.with_name(f".{path.name}.new")  # a name by which clean-up knows what a killed process has left
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the folder's files by name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """No other process of this machine is in such a block for the same file meanwhile; the lock is a file beside it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def cut_half_line(path: Path) -> None:
    """Drop what a crash left behind the last newline."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = _end_of_lines(file.fileno(), path.stat().st_size)
        if end != path.stat().st_size:
            file.truncate(end)
            os.fsync(file.fileno())


def lines_backwards(path: Path) -> Iterator[bytes]:
    """The whole lines of a file from the last to the first, without their newlines; nothing when there is no file."""
    if not path.exists():
        return
    with path.open("rb") as file:
        end = _end_of_lines(file.fileno(), path.stat().st_size)
        while end:
            start = _end_of_lines(file.fileno(), end - 1)
            yield os.pread(file.fileno(), end - start - 1, start)
            end = start


def _end_of_lines(descriptor: int, size: int) -> int:
    """The offset behind the last newline before offset `size`; 0 when there is none."""
    while size > 0:
        start = max(0, size - _CHUNK)
        found = os.pread(descriptor, size - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size = start
    return 0
