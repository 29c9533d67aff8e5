"""One file of rows on disk: what was appended is there after any crash, whole, and is handed out in that order.

A file is JSON lines, so that a person can read it: first `{"tocsin_spool":1, …, "drained_to":N}`, then one row a line with
a checksum over it. `drained_to` is the place, in bytes, of the first row not handed over yet; it is written in place.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from tasks.utils.formatters import compact_json
from tasks.utils.rows import InboxRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

VERSION: Final = 1
PRIVATE: Final = 0o600
WIDTH: Final = 15  # digits of `drained_to`; padded with blanks, it is overwritten in place
BLOCK: Final = 1024 * 1024


class TooNewError(Exception):
    """A later Tocsin wrote the file; start that one to drain it."""

    def __init__(self) -> None:
        super().__init__("a later Tocsin wrote it; start that one to drain it")


class Page(NamedTuple):
    """Rows read together: `lines` of the file up to byte `end`; `damaged` are those that hold no row."""

    rows: list[InboxRow]
    damaged: list[bytes]
    lines: int
    end: int


class SpoolFile:
    """A file and the lock on it; only its holder reads and writes. Not safe for several threads at once."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._fd = descriptor
        self._is_torn = False
        self.size = os.fstat(descriptor).st_size
        self.cut = self._cut_torn_tail()
        self._head, self._drained = self._read_head()
        self.rows = self._count_lines()

    @classmethod
    def create(cls, path: Path) -> Self | None:
        """A new file; None when the name is taken, be it since a moment ago."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
        except FileExistsError:
            return None
        if not _hold(path, descriptor):
            return None
        try:
            _write(descriptor, _head(), 0)
            return cls(path, descriptor)
        except BaseException:
            path.unlink()
            os.close(descriptor)
            raise

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """A file left behind; None when a living process holds it, or when it is gone. TooNewError, OSError."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        if not _hold(path, descriptor):
            return None
        try:
            return cls(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def append(self, lines: bytes, rows: int) -> None:
        """Add whole lines and wait until the disk has them; OSError if it has not, and then none is added."""
        if self._is_torn:
            os.ftruncate(self._fd, self.size)
            self._is_torn = False
        try:
            _write(self._fd, lines, self.size)
            os.fsync(self._fd)
        except OSError:
            self._is_torn = True
            with suppress(OSError):
                os.ftruncate(self._fd, self.size)
                self._is_torn = False
            raise
        self.size += len(lines)
        self.rows += rows

    def read(self, most_rows: int) -> Page:
        """The next rows, about a megabyte at most; the same again until `advance` is called. OSError."""
        data = self._next_lines()
        if self.rows and not data:
            raise OSError(errno.EIO, "the file is shorter than it was", str(self.path))
        lines = data.split(b"\n", most_rows)[:-1]
        decoded = [(line, decode(line)) for line in lines]
        return Page(
            rows=[row for _, row in decoded if row is not None],
            damaged=[line for line, row in decoded if row is None],
            lines=len(lines),
            end=self._drained + sum(len(line) + 1 for line in lines),
        )

    def advance(self, page: Page) -> None:
        """Remember that this page need not be handed out again. After a power cut it may be all the same."""
        self._drained = page.end
        self.rows -= page.lines
        if self._head:
            with suppress(OSError):  # a full disk: rows are handed out twice at worst, which is harmless
                _write(self._fd, f"{page.end:{WIDTH}}".encode(), self._head - WIDTH - len("}\n"))

    def remove(self) -> None:
        """Delete the file; nothing in it is needed any more, nor shall a power cut bring it back."""
        with suppress(OSError):
            self.path.unlink()
            sync_folder(self.path.parent)
        self.close()

    def close(self) -> None:
        """Let the file go; whoever comes next finds it."""
        os.close(self._fd)

    def _cut_torn_tail(self) -> int:
        """Drop what a crash left half written, which nobody was ever told is kept. Returns bytes dropped."""
        end = self.size
        while end:
            start = max(0, end - BLOCK)
            found = os.pread(self._fd, end - start, start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        dropped = self.size - end
        if dropped:
            os.ftruncate(self._fd, end)
            self.size = end
        return dropped

    def _read_head(self) -> tuple[int, int]:
        """How long the first line is, and where the rows begin that wait; (0, 0) when it is no head: then it is a damaged row."""
        line = os.pread(self._fd, 4096, 0).partition(b"\n")[0]
        try:
            head = json.loads(line)
            version, drained = int(head["tocsin_spool"]), int(head["drained_to"])
        except (ValueError, KeyError, TypeError):
            return 0, 0
        if version > VERSION:
            raise TooNewError
        return len(line) + 1, min(max(drained, len(line) + 1), self.size)

    def _count_lines(self) -> int:
        places = range(self._drained, self.size, BLOCK)
        return sum(os.pread(self._fd, BLOCK, place).count(b"\n") for place in places)

    def _next_lines(self) -> bytes:
        """Whole lines from the first that waits: as many as are in a block, or the one that is longer than a block."""
        wanted = BLOCK
        while True:
            data = os.pread(self._fd, min(wanted, self.size - self._drained), self._drained)
            end = data.rfind(b"\n") + 1
            if end or len(data) < wanted:
                return data[:end]
            wanted *= 2


def _head() -> bytes:
    began = datetime.now(UTC).isoformat(timespec="seconds")
    return b'{"tocsin_spool":%d,"began":"%s","drained_to":%*d}\n' % (VERSION, began.encode(), WIDTH, 0)


def encode(row: InboxRow) -> bytes:
    """A row as a line of the file, for `SpoolFile.append`."""
    fields = {"id": row.id, "received": row.received, "source": row.source, "alert": row.alert}
    try:
        text = compact_json(fields).encode()
    except ValueError:  # half a character, a number that is none: kept as it came
        text = json.dumps(fields).encode()
    return b'{"crc":"%08x","row":%s}\n' % (zlib.crc32(text), text)


_BEFORE: Final = len('{"crc":"00000000","row":')


def decode(line: bytes) -> InboxRow | None:
    """The row in a line; None when it is damaged."""
    text = line[_BEFORE:-1]
    try:
        if int(line[len('{"crc":"') : len('{"crc":"') + 8], 16) != zlib.crc32(text):
            return None
        return InboxRow(**json.loads(text))
    except (ValueError, TypeError):
        return None


def set_aside(path: Path, lines: Iterable[bytes]) -> None:
    """Keep damaged lines in a file of their own, for a person to look at."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(line + b"\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the folder's files by name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _hold(path: Path, descriptor: int) -> bool:
    """Take the lock, unless somebody has it or the file has been deleted meanwhile; then the descriptor is closed."""
    with suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(descriptor).st_ino:
            return True
    os.close(descriptor)
    return False


def _write(descriptor: int, data: bytes, at: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, at)
        data, at = data[written:], at + written
