"""Which backup a recovery takes: the newest from which a part can be read whole; and the same again where it was broken off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.backups.codec import DamagedError
from tasks.backups.repository import LATEST
from tasks.utils.error_handler import UnknownError
from tasks.utils.kept_file import KeptFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.backups.manifests import Snapshot
    from tasks.backups.restoration import Planned, RestoreService


@dataclass(frozen=True)
class Candidate:
    """A part as one backup has it, with the plan to restore it; newer backups that were passed over, and why."""

    part: str
    planned: Planned
    passed_over: tuple[str, ...] = ()


def newest_whole(restores: RestoreService, part: str, reference: str = LATEST) -> Candidate:
    """The newest backup of that part of which every byte can be read, or the one that is asked for.

    UnknownError: no backup has that part. DamagedError: none that has can be read.
    """
    repository, passed_over = restores.repository, list[str]()
    if reference != LATEST:
        return Candidate(part, restores.plan(repository.find(reference).id, [part]))
    for snapshot in _newest_first(repository.snapshots(), part):
        try:
            return Candidate(part, restores.plan(snapshot.id, [part]), tuple(passed_over))
        except DamagedError as error:
            passed_over.append(str(error))
    if passed_over:
        raise DamagedError(f"no backup of the {part} can be read whole: {'; '.join(passed_over)}")
    repository.find(LATEST)
    raise UnknownError(f"no backup in {repository.storage.place} has the part {part!r}")


def _newest_first(snapshots: list[Snapshot], part: str) -> Iterator[Snapshot]:
    return (snapshot for snapshot in reversed(snapshots) if part in snapshot.parts)


class RecoveryNote:
    """The backups chosen by a recovery that has not ended: newer ones may be of the machine that is being made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = KeptFile(path)

    def read(self) -> dict[str, str]:
        """Part -> id; nothing where none was broken off."""
        return self._file.read() or {}

    def write(self, chosen: dict[str, str]) -> None:
        """Remember them."""
        self._file.write(chosen)

    def end(self) -> None:
        """The recovery has come to its end."""
        self._path.unlink(missing_ok=True)
