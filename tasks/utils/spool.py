"""Accepted events kept on this machine's disk while Redis is away."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

from tasks.utils.error_handler import TransientError
from tasks.utils.spool_file import Page, SpoolFile, TooNewError, encode, set_aside, sync_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tasks.utils.rows import InboxRow

SPOOL_FOLDER: Final = "spool"  # in the state folder
PAGE_ROWS: Final = 500
FILE_BYTES: Final = 16 * 1024 * 1024  # then a new file is begun, so that what is drained leaves the disk
LEAST_ROOM: Final = 64 * 1024
LEAST_DISK: Final = 4 * 1024 * 1024
RETRY_AFTER: Final = 5.0
PRIVATE_FOLDER: Final = 0o700

log = logging.getLogger(__name__)


class SpoolError(TransientError):
    """The spool cannot take an event: it is full, or its disk does not take it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after=RETRY_AFTER)


class Spool:
    """Rows in order, in files of one folder; every process writes its own and takes over those of dead ones.

    The files are locked by their holder and numbered, later ones higher. Rows are appended to the last one and read
    from the first. For one thread at a time.
    """

    def __init__(self, folder: Path, *, max_bytes: int, file_bytes: int = FILE_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._file_bytes = file_bytes
        self._files: list[SpoolFile] = []
        self._reading: tuple[SpoolFile, Page] | None = None
        self._left_alone: set[Path] = set()
        self.damaged = 0

    @property
    def rows(self) -> int:
        """How many rows wait, damaged ones included."""
        return sum(file.rows for file in self._files)

    @property
    def size(self) -> int:
        """How much disk its files take."""
        return sum(file.size for file in self._files)

    def fault(self) -> str:
        """Why it would refuse an event now, with the way to mend it; '' if it would not."""
        if not self._max_bytes:
            return "there is no spool: spool.max_bytes is 0"
        if self.size + min(LEAST_ROOM, self._max_bytes // 10) > self._max_bytes:
            return f"the spool is full ({self.size} bytes); raise spool.max_bytes, or wait until Redis is back"
        try:
            self._prepare()
            disk = os.statvfs(self._folder)
        except OSError as error:
            return _unwritable(self._folder, error)
        if disk.f_bavail * disk.f_frsize < LEAST_DISK:
            return f"the disk of the spool is full; make room at {self._folder}"
        return "" if os.access(self._folder, os.W_OK | os.X_OK) else f"the spool {self._folder} may not be written"

    def adopt(self) -> int:
        """Take over the files nobody holds, the oldest first, before the rows of one's own. Returns their rows."""
        mine = {file.path for file in self._files}
        try:
            others = [path for path in self._paths() if path not in mine]
        except OSError as error:
            self._leave_alone(self._folder, error)
            return 0
        found = [file for path in others if (file := self._open(path)) is not None]
        self._files[:0] = found
        self._remove_drained()
        return sum(file.rows for file in found)

    def append(self, parts: Sequence[Sequence[InboxRow]]) -> int:
        """Keep as many of the parts, whole and in order, as there is room for; returns how many. They are on the disk then.

        SpoolError when not even the first has room, or when the disk refuses: then none is kept.
        """
        room = self._max_bytes - self.size
        lines: list[bytes] = []
        accepted = 0
        for part in parts:
            encoded = [encode(row) for row in part]
            room -= sum(map(len, encoded))
            if room < 0:
                break
            lines += encoded
            accepted += 1
        if not accepted:
            raise SpoolError(self.fault() or f"the spool is full ({self.size} bytes)")
        try:
            self._last_file().append(b"".join(lines), len(lines))
        except OSError as error:
            raise SpoolError(_unwritable(self._folder, error)) from None
        return accepted

    def read(self) -> list[InboxRow]:
        """The rows that have waited longest, up to some hundreds; the same again until `advance` is called.

        SpoolError when damaged lines cannot be set aside: they must not be passed over.
        """
        while self._files and self._reading is None:
            file = self._files[0]
            page = file.read(PAGE_ROWS)
            if page.damaged:
                self._set_aside(file, page.damaged)
            self._reading = file, page
            if not page.rows:
                self.advance()
        return self._reading[1].rows if self._reading else []

    def advance(self) -> None:
        """What was read last is in Redis and need not be kept."""
        if self._reading is not None:
            file, page = self._reading
            self._reading = None
            file.advance(page)
            self._remove_drained()

    def close(self) -> None:
        """Let the files go; what waits in them is found by the next who looks."""
        for file in self._files:
            file.close()
        self._files.clear()

    def held_by_others(self) -> list[Path]:
        """Files with rows that a living process looks after."""
        mine = {file.path for file in self._files}
        return [path for path in self._paths() if path not in mine]

    def _open(self, path: Path) -> SpoolFile | None:
        try:
            file = SpoolFile.open(path)
        except (TooNewError, OSError) as error:
            self._leave_alone(path, error)
            return None
        if file is not None and file.cut:
            log.warning("%s ended in half a row, %d bytes; its sender was never told that it is kept", path, file.cut)
        return file

    def _leave_alone(self, path: Path, why: Exception) -> None:
        if path not in self._left_alone:
            self._left_alone.add(path)
            log.error("%s is left alone and what is in it waits: %s", path, why)

    def _remove_drained(self) -> None:
        # Also the last one: the next event begins a new file.
        for file in [file for file in self._files if not file.rows]:
            file.remove()
            self._files.remove(file)

    def _set_aside(self, file: SpoolFile, lines: list[bytes]) -> None:
        place = file.path.with_suffix(".damaged")
        try:
            set_aside(place, lines)
        except OSError as error:
            raise SpoolError(_unwritable(self._folder, error)) from None
        self.damaged += len(lines)
        log.error("%s: %d damaged lines could not be read as events; they are kept in %s", file.path, len(lines), place)

    def _last_file(self) -> SpoolFile:
        if not self._files or self._files[-1].size >= self._file_bytes:
            self._files.append(self._new_file())
        return self._files[-1]

    def _new_file(self) -> SpoolFile:
        self._prepare()
        number = max((int(path.stem) for path in self._paths()), default=0)
        while True:
            number += 1
            file = SpoolFile.create(self._folder / f"{number:08d}.jsonl")
            if file is not None:
                sync_folder(self._folder)
                return file

    def _prepare(self) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
            sync_folder(self._folder.parent)
        if self._folder.stat().st_mode & 0o077:
            self._folder.chmod(PRIVATE_FOLDER)

    def _paths(self) -> list[Path]:
        """The files in the folder, the oldest first; OSError when it cannot be looked into."""
        if not self._folder.exists():
            return []
        return sorted(path for path in self._folder.iterdir() if path.suffix == ".jsonl" and path.stem.isdecimal())


def _unwritable(folder: Path, error: OSError) -> str:
    return f"the spool {folder} cannot be written: {error.strerror}; make room there, or let this process write to it"
