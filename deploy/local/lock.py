import fcntl
import os
import time
from pathlib import Path
from typing import Final, Self

PATIENCE_SECONDS: Final = 8.0


class FolderBusyError(RuntimeError):
    """Another live process uses the folder."""


class FolderLock:
    """Holds one folder for one owner; the kernel lets go of it when the last holder dies, however it dies.

    `flock`, not a pid file: it needs no cleaning up after `kill -9`. The pid inside is only there to be told to people.
    The descriptor may be handed to a child, which then holds the folder as long as it lives.
    """

    def __init__(self, path: Path, *, owner: str) -> None:
        self._path = path
        self._owner = owner
        self._fd: int | None = None

    def acquire(self) -> Self:
        """Take the lock; an owner just killed is given a few seconds to vanish. Raises FolderBusyError."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _try(fd):
            holder = _pid_in(fd)
            if _is_alive(holder) or time.monotonic() > deadline:
                os.close(fd)
                raise FolderBusyError(self._refusal(holder))
            time.sleep(0.05)
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        self._fd = fd
        return self

    def fileno(self) -> int:
        """The descriptor, to be inherited by a child that shall hold the folder too."""
        if self._fd is None:
            raise ValueError(f"{self._path} is not locked")
        return self._fd

    def close(self) -> None:
        """Let go; safe to call twice."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _refusal(self, holder: int) -> str:
        by = f"process {holder}" if _is_alive(holder) else f"a process left over from {holder}"
        return (
            f"{self._owner} is already running on {self._path.parent} ({by}). "
            "Stop that one first (Ctrl-C in its terminal), or give this one a folder of its own: TOCSIN_STATE_DIR=…"
        )


def _try(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid_in(fd: int) -> int:
    text = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdigit() else 0


def _is_alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
