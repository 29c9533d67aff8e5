"""The small file by which a process shows this machine that it lives. The standard library alone: a probe must be quick.

One file a process, `heartbeats/<role>.<host>.<namespace of process ids>.<pid>` in the state folder. Its one line: when the process was
last well, when it was last able to work (seconds since the machine started, so that no change of the wall clock matters), when it began
(the kernel's word, so that a number given out again is noticed), and where its server is, without any secret.
"""

from __future__ import annotations

import os
import time
from typing import Final, NamedTuple

FOLDER: Final = "heartbeats"
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


class Beat(NamedTuple):
    """What one file says, and what the machine knows of its process. `alive`, `ready`: seconds since either was true."""

    role: str
    pid: int
    alive: float
    ready: float
    server: str


class HeartbeatFile:
    """The file of this process. Written over in place: that takes no room on a disk that is full meanwhile."""

    def __init__(self, state_dir: str, role: str, server: str) -> None:
        folder = os.path.join(state_dir, FOLDER)  # noqa: PTH118 - pathlib takes a probe's time to import
        os.makedirs(folder, mode=PRIVATE_FOLDER, exist_ok=True)  # noqa: PTH103
        pid = os.getpid()
        self._path = os.path.join(folder, f"{role}.{_host()}.{namespace()}.{pid}")  # noqa: PTH118
        self._rest = f"{_began(pid)} {server}\n"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT, PRIVATE_FILE)

    def write(self, alive: float, ready: float) -> None:
        """Note both times, as `time.monotonic` has them."""
        os.pwrite(self._file, f"{alive:015.3f} {ready:015.3f} {self._rest}".encode(), 0)

    def remove(self) -> None:
        """The process ends of its own will."""
        os.close(self._file)
        try:
            os.unlink(self._path)  # noqa: PTH108
        except FileNotFoundError:
            return


def beats(state_dir: str, role: str = "") -> list[Beat]:
    """What the living processes of this machine, or container, show; files of dead ones are taken away."""
    folder = os.path.join(state_dir, FOLDER)  # noqa: PTH118
    here, found = f".{_host()}.{namespace()}.", []
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except FileNotFoundError:
        return []
    for name in sorted(names):
        kind, is_here, pid = name.partition(here)
        if is_here and role in ("", kind):
            beat = _read(os.path.join(folder, name), kind, int(pid))  # noqa: PTH118
            found += [beat] if beat else []
    return found


def process_state(pid: int) -> str:
    """The kernel's letter for what a process does: S sleeps, R runs, T is stopped, Z is dead; '' if there is none, or no way to tell."""
    return _stat(pid)[:1].decode()


def _read(path: str, role: str, pid: int) -> Beat | None:
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123
            alive, ready, began, server = file.read().rstrip("\n").split(" ", 3)
        if began != _began(pid):
            os.unlink(path)  # noqa: PTH108
            return None
        now = time.monotonic()
        return Beat(role, pid, max(0.0, now - float(alive)), max(0.0, now - float(ready)), server)
    except (FileNotFoundError, ValueError):  # gone, or about to be written for the first time
        return None


def _stat(pid: int) -> bytes:
    """What the kernel says of a process behind its name, which may hold anything."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            return file.read().rpartition(b") ")[2]
    except OSError:
        return b""


def _began(pid: int) -> str:
    """When a process began, in the kernel's ticks; where there is no /proc, only whether there is one; '' if there is none."""
    stat = _stat(pid).split()
    if stat:
        return "" if stat[0] == b"Z" else stat[19].decode()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "there"
    return "" if os.path.isdir("/proc/self") else "there"  # noqa: PTH112


def _host() -> str:
    return os.uname().nodename.replace("/", "_")


def namespace() -> int:
    """Whose process ids are meant: containers may share a folder and a name, not this."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116
    except OSError:
        return 0
