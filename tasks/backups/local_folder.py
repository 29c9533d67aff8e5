"""A repository in a folder of this machine, or of a file system that is mounted here."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import socket
import time
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tasks.backups.storage import Blob, HeldError, Hold, MissingBlobError
from tasks.utils.error_handler import TransientError
from tasks.utils.files import PRIVATE_FILE, PRIVATE_FOLDER, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DRAFTS: Final = "tmp"
LOCKS: Final = "locks"
OWN: Final = ("packs", "snapshots", DRAFTS, LOCKS)
WRITING: Final = "writing"  # one writes
READ_ONLY: Final = (errno.EROFS, errno.EACCES, errno.EPERM)
A_DAY: Final = 86_400
READING: Final = "reading"  # who deletes waits for nobody to read


class LocalFolder:
    """The blobs are files. A file appears by being renamed, so a crash leaves it whole or leaves a draft nobody looks at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = str(folder)

    def put(self, name: str, data: bytes) -> None:
        """Write a draft, sync it, give it its name, sync the folder."""
        path = self.folder / name
        draft = self.folder / DRAFTS / f"{os.getpid()}.{secrets.token_hex(8)}.{socket.gethostname()}"
        try:
            self._make(path.parent)
            self._make(draft.parent)
            _write(draft, data)
            draft.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()  # a worker lives on, and so would its draft, on a disk that is full
            raise _unwritable(self.folder, error) from error

    def get(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        """Read a file or a piece of it."""
        try:
            with (self.folder / name).open("rb") as file:
                file.seek(offset)
                return file.read() if size is None else file.read(size)
        except FileNotFoundError:
            raise MissingBlobError(f"{name} is not in {self.place}") from None
        except OSError as error:
            raise _unreadable(f"{name} in {self.place}", error) from error

    def list(self, folder: str) -> Sequence[Blob]:
        """The files of one folder."""
        found = []
        try:
            with os.scandir(self.folder / folder) as entries:
                found = [blob for entry in entries if (blob := blob_of(folder, entry))]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unreadable(f"{folder} in {self.place}", error) from error
        return sorted(found, key=lambda blob: blob.name)

    def delete(self, name: str) -> None:
        """Remove a file; on return the disk has forgotten it."""
        path = self.folder / name
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def strangers(self) -> Sequence[Blob]:
        """Files in the folder that no repository puts there."""
        found = []
        for top in sorted(self.folder.glob("*")):
            if top.name in OWN or top.name.startswith("repository."):
                continue
            paths = [top] if top.is_file() else sorted(top.rglob("*"))
            found += [Blob(str(path.relative_to(self.folder)), path.stat().st_size) for path in paths if path.is_file()]
        return found

    @contextmanager
    def hold(self, how: Hold) -> Iterator[None]:
        """The kernel's locks on two files: they end with the process that holds them. Where nothing can be written, reading needs none."""
        with ExitStack() as held:
            try:
                self._make(self.folder / LOCKS)
                if how is not Hold.READ:
                    held.enter_context(self._lock(WRITING, fcntl.LOCK_EX))
                reading = fcntl.LOCK_EX if how is Hold.DELETE else fcntl.LOCK_SH
                held.enter_context(self._lock(READING, reading))
            except OSError as error:
                if how is not Hold.READ or error.errno not in READ_ONLY:
                    raise _unwritable(self.folder, error) from error
            if how is not Hold.READ:
                self._drop_drafts()
            yield

    @contextmanager
    def _lock(self, name: str, kind: int) -> Iterator[None]:
        path = self.folder / LOCKS / name
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                who = _who(path) if name == WRITING else " by somebody who reads it"
                raise HeldError(f"the repository in {self.place} is in use{who}; try again later") from None
            if name == WRITING:
                _sign(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _drop_drafts(self) -> None:
        for draft in (self.folder / DRAFTS).glob("*"):
            if _is_abandoned(draft):
                draft.unlink(missing_ok=True)

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make(folder.parent)
        folder.mkdir(exist_ok=True, mode=PRIVATE_FOLDER)
        sync_folder(folder.parent)


def blob_of(folder: str, entry: os.DirEntry[str]) -> Blob | None:
    """A file of a listing; None where it is none, or has gone since."""
    try:
        return Blob(f"{folder}/{entry.name}", entry.stat().st_size) if entry.is_file() else None
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _is_abandoned(draft: Path) -> bool:
    """Whether a draft's process is gone; of another machine's that is not known before it is a day old."""
    pid, _, host = draft.name.split(".", 2)
    if host == socket.gethostname():
        return int(pid) != os.getpid() and not _is_running(int(pid))
    return time.time() - draft.stat().st_mtime > A_DAY


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sign(descriptor: int) -> None:
    since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}).encode(), 0)


def _who(path: Path) -> str:
    try:
        holder = json.loads(path.read_bytes())
        return f" by process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _unreadable(what: str, error: OSError) -> TransientError:
    return TransientError(f"{what} cannot be read: {error.strerror}")


def _unwritable(folder: Path, error: OSError) -> TransientError:
    if error.errno == errno.ENOSPC:
        return TransientError(f"the disk of {folder} is full: make room, or name another folder (backups.folder)")
    return TransientError(f"{folder} cannot be written to: {error.strerror}")
