"""Files of the state folder that are past their time: logs that were set aside, reports, damaged lines, half-written drafts."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Final

from tasks.logs.items import Item
from tasks.utils.error_handler import PermanentError
from tasks.utils.files import PRIVATE_FILE, PRIVATE_FOLDER, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tasks.logs.items import Kind

CLAIMED: Final = ".clean-up"  # folder beside the files: what is in it, nobody writes to any more
CHUNK: Final = 1 << 20


class Files:
    """Files of one folder by patterns. `claims`: take a file away from whoever may write to it before it is read; see `items`."""

    is_row = False

    def __init__(
        self,
        kind: Kind,
        folder: Path,
        patterns: Sequence[str],
        back: Path,
        *,
        claims: bool = False,
        open_why: Callable[[Path], str] = lambda _: "",
    ) -> None:
        self.kind: Kind = kind
        self._folder = folder
        self._patterns = patterns
        self._back = back
        self._claims = claims
        self._open_why = open_why

    def items(self, before: datetime) -> Iterator[Item]:
        """What was not written to since, oldest first. A link is none of ours, nor is a folder."""
        found = {path for pattern in self._patterns for path in self._folder.glob(pattern)}
        found |= set((self._folder / CLAIMED).glob("*")) if self._claims else set()
        known = [(path.stat().st_mtime, path) for path in found if path.is_file() and not path.is_symlink()]
        for written, path in sorted(known):
            if written < before.timestamp():
                yield self._item(path)

    def _item(self, path: Path) -> Item:
        state = path.stat()
        at = datetime.fromtimestamp(state.st_mtime, UTC)
        is_claimed = path.parent.name == CLAIMED
        name = path.relative_to(path.parent if is_claimed else self._folder).as_posix()
        return Item(self.kind, name, state.st_size, at, at, None, "" if is_claimed else self._open_why(path))

    @contextmanager
    def read(self, item: Item) -> Iterator[BinaryIO]:
        """Its content. Where files are claimed, nobody else writes to it from the first reading on."""
        with self._claimed(item).open("rb") as file:
            yield file

    def remove(self, item: Item, archive: str) -> bool:
        """Delete it, unless it was written to meanwhile."""
        del archive
        path = self._claimed(item)
        try:
            state = path.stat()
        except FileNotFoundError:
            return False
        if state.st_size != item.bytes or datetime.fromtimestamp(state.st_mtime, UTC) != item.last:
            return False
        path.unlink()
        sync_folder(path.parent)
        return True

    def has(self, name: str) -> bool:
        """Whatever is of its class."""
        del name
        return True

    def needs(self, name: str, other: str) -> bool:
        """Each stands for itself."""
        return name == other

    def bring_back(self, name: str, content: BinaryIO) -> str:
        """Into the folder of restored things: whoever writes the original must not meet it."""
        return str(write_back(self._back / self.kind / name, content))

    def _claimed(self, item: Item) -> Path:
        path = self._folder / item.name
        if not self._claims:
            return path
        claimed = self._folder / CLAIMED / item.name.replace("/", "_")
        if not claimed.exists():
            claimed.parent.mkdir(exist_ok=True, mode=PRIVATE_FOLDER)
            path.rename(claimed)
        return claimed


def write_back(path: Path, content: BinaryIO) -> Path:
    """Write a file that appears whole or not at all; PermanentError where another one of that name is there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        while data := content.read(CHUNK):
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if path.exists() and not _is_same(path, draft):
        draft.unlink()
        raise PermanentError(f"another {path} is there: move it away first")
    draft.replace(path)
    sync_folder(path.parent)
    return path


def is_held(lock: Path) -> bool:
    """Whether a live process holds that lock file."""
    with suppress(FileNotFoundError):
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False


def _is_same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while data := first.read(CHUNK):
            if second.read(CHUNK) != data:
                return False
    return True
