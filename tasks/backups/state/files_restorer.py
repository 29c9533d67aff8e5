"""Files of a backup put back into a folder: each appears whole, under its name, or not at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tasks.backups.restoring import Change, Outcome, Plan
from tasks.utils.error_handler import PermanentError, TransientError
from tasks.utils.files import PRIVATE_FOLDER, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tasks.backups.files import StoredFile
    from tasks.backups.items import Item, Progress
    from tasks.backups.restoring import Journal

DRAFT: Final = ".restoring"


@dataclass(frozen=True, slots=True)
class FilesPlan(Plan):
    """With the files themselves."""

    files: tuple[StoredFile, ...] = ()


class FilesRestorer:
    """Of a folder. `replaces`: where the files that are there and differ are put before they are replaced; None leaves them as they are."""

    def __init__(self, folder: Path, replaces: Path | None) -> None:
        self._folder = folder
        self._replaces = replaces

    def plan(self, items: Iterable[Item | StoredFile]) -> FilesPlan:
        """Which files would be made, which replaced."""
        files = tuple(item for item in items if not hasattr(item, "document"))
        return FilesPlan(tuple(map(self._change, files)), files)

    def _change(self, file: StoredFile) -> Change:
        path = self._path(file)
        if not path.exists():
            return Change("create", file.kind, file.id)
        if _is_same(path, file):
            return Change("leave", file.kind, file.id)
        if self._replaces is None and _begins_so(path, file):
            return Change("leave", file.kind, file.id, why="what is here has grown since")
        if self._replaces is None:
            why = "another one is here, which may be newer: to have that of the backup, move it away first"
            return Change("cannot", file.kind, file.id, why=why)
        return Change("change", file.kind, file.id, why=f"the one that is here goes to {self._replaces}")

    def apply(self, plan: Plan, journal: Journal, progress: Progress) -> Outcome:  # noqa: ARG002 (what is done shows by itself)
        """Write them; what a killed run left half is written anew."""
        files = {file.id: file for file in plan.files} if isinstance(plan, FilesPlan) else {}
        self._drop_drafts()
        counts = {"create": 0, "change": 0}
        for done, change in enumerate(plan.changes, start=1):
            if change.verb in counts:
                self._put(files[change.id], replace=change.verb == "change")
                counts[change.verb] += 1
            progress(done, len(plan.changes), "files")
        wrong = tuple(
            change for change in plan.changes if change.verb in counts and not self._is_there(files[change.id])
        )
        return Outcome(counts["create"], counts["change"], wrong)

    def _is_there(self, file: StoredFile) -> bool:
        path = self._path(file)
        return path.exists() and _is_same(path, file)

    def _path(self, file: StoredFile) -> Path:
        path = self._folder / file.id
        if ".." in path.parts or not path.is_relative_to(self._folder):
            raise PermanentError(f"the backup has a file {file.id!r}, which would lie outside {self._folder}")
        return path

    def _put(self, file: StoredFile, *, replace: bool) -> None:
        path = self._path(file)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
            draft = path.with_name(f".{path.name}{DRAFT}")
            _write(draft, file)
            if replace and self._replaces is not None:
                self._set_aside(path)
            draft.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            raise TransientError(f"{path} cannot be written: {error.strerror}") from error

    def _set_aside(self, path: Path) -> None:
        kept = (self._replaces or path) / path.relative_to(self._folder)
        kept.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        kept.write_bytes(path.read_bytes())

    def _drop_drafts(self) -> None:
        for draft in self._folder.rglob(f".*{DRAFT}"):
            draft.unlink(missing_ok=True)


def _is_same(path: Path, file: StoredFile) -> bool:
    return path.stat().st_size == file.size and _begins_so(path, file)


def _begins_so(path: Path, file: StoredFile) -> bool:
    """Whether the file begins as in the backup, as records do that are only added to."""
    with path.open("rb") as there:
        return all(there.read(len(chunk)) == chunk for chunk in file.read())


def _write(path: Path, file: StoredFile) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, file.mode & 0o777)
    with os.fdopen(descriptor, "wb") as draft:
        for chunk in file.read():
            draft.write(chunk)
        draft.flush()
        os.fsync(draft.fileno())
