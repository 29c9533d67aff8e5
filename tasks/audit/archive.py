"""The archive: the ledger outside Redis, one file a day, in the order of the chain."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final

from tasks.audit.chain import Head, extend, take_apart
from tasks.utils.files import PRIVATE_FILE, PRIVATE_FOLDER, append, cut_half_line, lines_backwards

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.utils.ledger import Entry

DAY_MS: Final = 86_400_000
_DAYS: Final = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].jsonl"


class Archive:
    """The files `YYYY-MM-DD.jsonl` of one folder. A file's lines are never changed, only added to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> list[Path]:
        """Every file, oldest first: that is the order of the chain."""
        return sorted(self.folder.glob(_DAYS))

    def tail(self) -> Head | None:
        """The end of the chain as the files have it; None when they hold nothing."""
        return self.end_of(self.files())

    @staticmethod
    def end_of(files: Sequence[Path]) -> Head | None:
        """The end of the chain in these files; None when they hold nothing. Damaged lines at the end do not count."""
        for path in reversed(files):
            for line in lines_backwards(path):
                with suppress(ValueError):
                    parts = take_apart(line)
                    return Head(parts.number, parts.entry.id, parts.hash)
        return None

    def append(self, head: Head, entries: Sequence[Entry]) -> Head:
        """Chain entries to `head` and write them; returns the new end once the disk has them."""
        newest = self.files()[-1:]
        floor = newest[0].stem if newest else ""
        for day, group in groupby(entries, key=lambda entry: entry.at // DAY_MS):
            floor = max(
                floor, day_of(day * DAY_MS)
            )  # were the clock set back, the order of the files must still be the chain's
            lines = []
            for entry in group:
                head, line = extend(head, entry)
                lines.append(line)
            append(self.folder / f"{floor}.jsonl", b"".join(lines))
        return head

    def mend(self) -> None:
        """Drop half a line that a crash left at the end."""
        for path in self.files()[-1:]:
            cut_half_line(path)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether this process may write; the kernel takes the right back when the process dies."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            yield _try_lock(descriptor)
        finally:
            os.close(descriptor)


def day_of(at: int) -> str:
    """The day a moment (ms) belongs to, in UTC."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
