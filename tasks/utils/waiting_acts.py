"""Entries of the record that Redis could not take: on disk, in order, until it can."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from tasks.utils.acts import ActEntry
from tasks.utils.files import PRIVATE_FILE, PRIVATE_FOLDER, cut_half_line, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

FILE: Final = "waiting.jsonl"


class WaitingActs:
    """The file `waiting.jsonl` of one machine, for all its processes; each of them may add, and hand over what waits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits that this process may take up."""
        try:
            return self._path.stat().st_size == 0
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return True

    def add(self, entry: ActEntry) -> None:
        """Add one; on return the disk has it. OSError."""
        line = json.dumps(entry._replace(at=entry.at or time.time_ns() // 1_000_000), ensure_ascii=True)
        with self._alone() as descriptor:
            cut_half_line(self._path)
            data = line.encode() + b"\n"
            written = os.write(descriptor, data)
            if written != len(data):
                os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
                raise OSError(f"{self._path} takes no more: only {written} of {len(data)} bytes were written")
            os.fsync(descriptor)

    def hand_over(self, put: Callable[[Sequence[ActEntry]], None]) -> int:
        """Give everything that waits to `put`, oldest first, then forget it; returns how many there were.

        A crash in between hands it out once more: `put` must not mind. Lines that are no entry are kept beside the file.
        """
        with self._alone() as descriptor:
            cut_half_line(self._path)
            lines = self._path.read_bytes().splitlines()
            entries = [entry for entry in map(_read, lines) if entry is not None]
            self._keep_damaged([line for line in lines if _read(line) is None])
            if entries:
                put(entries)
            os.ftruncate(descriptor, 0)
            os.fsync(descriptor)
        return len(entries)

    def _keep_damaged(self, lines: Sequence[bytes]) -> None:
        if lines:
            damaged = self._folder / f"damaged-{time.time_ns()}.jsonl"
            damaged.touch(PRIVATE_FILE)
            damaged.write_bytes(b"\n".join([*lines, b""]))

    @contextmanager
    def _alone(self) -> Iterator[int]:
        """The open file, nobody else of this machine at it."""
        self._make()
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _make(self) -> None:
        if self._path.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))
        for path in (self._folder, self._path):  # made by root for an act done with sudo, yet the workers take it up
            with suppress(PermissionError):
                owner = path.parent.stat()
                os.chown(path, owner.st_uid, owner.st_gid)
        sync_folder(self._folder)


def _read(line: bytes) -> ActEntry | None:
    try:
        act_id, step, action, rest, at = json.loads(line)
        return ActEntry(str(act_id), str(step), str(action), str(rest), int(at))
    except (ValueError, TypeError):
        return None
