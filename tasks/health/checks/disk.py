"""Whether the state folder can be written, and how much room is left there."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Final

from tasks.utils.health_monitor import Line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.utils.health_monitor import State

FEWEST_INODES: Final = 10_000
ROOM: Final = "make room at {}: spool, ledger, reports and backups are written there (`tocsin logs clean-up` removes what is over)"
TRIAL_BYTES: Final = 64 * 1024


def disk_lines(folder: Path, free: int) -> Iterator[Line]:
    """The folder by a trial, its disk by the system's word."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _try_to_write(folder)
    except OSError as error:
        mend = f"{ROOM.format(folder)}, or let this process write there"
        yield Line("disk.state", "fail", f"{folder} cannot be written: {error.strerror}", "can be written", mend)
    else:
        yield Line("disk.state", "ok", "can be written", "can be written")
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        yield Line("disk.free", "skip", f"not told: {error.strerror}")
        return
    yield _line("disk.free", disk.f_bavail * disk.f_frsize, free, folder)
    if disk.f_files:  # some file systems count none
        yield _line("disk.inodes", disk.f_favail, FEWEST_INODES, folder)


def _try_to_write(folder: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".health-") as file:
        file.write(b"\0" * TRIAL_BYTES)
        file.flush()
        os.fsync(file.fileno())


def _line(name: str, left: int, limit: int, folder: Path) -> Line:
    state: State = "fail" if left < limit // 10 else "warn" if left < limit else "ok"
    in_bytes = name.endswith("free")
    value, least = (f"{n / 1048576:,.0f} MB" if in_bytes else f"{n:,}" for n in (left, limit))
    return Line(name, state, value, least, "" if state == "ok" else ROOM.format(folder))
