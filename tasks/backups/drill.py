"""A rehearsal: the newest backup is restored for real, where it can do no harm, and what comes of it is compared with the backup."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from tasks.backups.checking import Checker
from tasks.backups.models import DrillReport
from tasks.backups.restoration import RestoreService
from tasks.backups.service import progress
from tasks.backups.storage import Hold
from tasks.utils.error_handler import PermanentError, TocsinError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from tasks.backups.manifests import Snapshot
    from tasks.backups.repository import Repository
    from tasks.backups.restoring import Restorer
    from tasks.backups.standing import BackupStanding

log = structlog.get_logger("tocsin.backups")

FLIGHT: Final = "backups.drill"


class DrillFailedError(PermanentError):
    """The newest backup could not be restored as it should; the text says what is wrong, and which backup is the last good one."""


@dataclass(frozen=True)
class Stage:
    """Where a rehearsal takes place: what to restore with, a folder that is thrown away, and what else is to be looked at there."""

    restorers: dict[str, Callable[[str], Restorer]]
    folder: Path
    inspect: Callable[[], list[str]]


class DrillService:
    """Rehearses on a stage that is set up for each time."""

    def __init__(
        self,
        repository: Repository,
        stage: Callable[[], AbstractContextManager[Stage]],
        standing: BackupStanding,
        alone: Callable[[str], AbstractContextManager[Any]],
        now: Callable[[], datetime],
    ) -> None:
        self._now = now
        self._repository = repository
        self._stage = stage
        self._standing = standing
        self._alone = alone

    def drill(self) -> DrillReport:
        """What came of it. The report says whether all is well; a failed rehearsal is told in the log, too."""
        with self._alone(FLIGHT):
            report = self._rehearsed(self._repository.find("latest"))
        self._standing.note("drilled", report)
        if report.ok:
            log.info(
                "backup_drilled", backup=report.backup, rpo_seconds=report.rpo_seconds, rto_seconds=report.rto_seconds
            )
        else:
            log.error("backup_drill_failed", backup=report.backup, last_good=report.last_good, faults=report.faults[:5])
        return report

    def drill_or_fail(self) -> DrillReport:
        """The same, for schedules: DrillFailedError where it failed."""
        report = self.drill()
        if not report.ok:
            good = f"the last good backup is {report.last_good[:8]}" if report.last_good else "no backup is good"
            raise DrillFailedError(f"backup {report.backup[:8]} cannot be restored: {report.faults[0]}; {good}")
        return report

    def _rehearsed(self, snapshot: Snapshot) -> DrillReport:
        now, began = self._now(), time.monotonic()
        faults, restored, chosen = self._faults(snapshot), dict[str, int](), self._newest_by_part()
        if not faults:
            faults = self._restored(chosen, restored)
        took = time.monotonic() - began
        good = snapshot if not faults else self._last_good(snapshot)
        least = min((chosen[part] for part in restored), key=lambda one: one.created, default=snapshot)
        lost_since = least if not faults else good or snapshot
        return DrillReport(
            ok=not faults,
            at=now,
            backup=snapshot.id,
            rpo_seconds=round((now - lost_since.created).total_seconds(), 3),
            rto_seconds=round(took, 3),
            restored=restored,
            faults=faults,
            last_good=good.id if good else "",
        )

    def _faults(self, snapshot: Snapshot) -> list[str]:
        """What is damaged in a backup, every byte of it read."""
        with self._repository.storage.hold(Hold.READ):
            try:
                checker = Checker(self._repository.objects(), read_data=True)
                return list(checker.faults(self._repository.manifest(snapshot)))
            except PermanentError as error:  # damaged, or the key is not here
                return [str(error)]

    def _newest_by_part(self) -> dict[str, Snapshot]:
        """The newest backup of each part: a backup may be of some parts alone, and what was not rehearsed is only a promise."""
        return {part: snapshot for snapshot in self._repository.snapshots() for part in snapshot.parts}

    def _last_good(self, but: Snapshot) -> Snapshot | None:
        for snapshot in reversed(self._repository.snapshots()):
            if snapshot.id != but.id and not self._faults(snapshot):
                return snapshot
        return None

    def _restored(self, chosen: Mapping[str, Snapshot], restored: dict[str, int]) -> list[str]:
        with self._stage() as stage:
            service = RestoreService(self._repository, stage.restorers, stage.folder, self._standing, self._alone)
            faults: list[str] = []
            for part, snapshot in chosen.items():
                if part in stage.restorers:
                    progress(0, None, f"restoring {part}")
                    faults += self._part(service, snapshot, part, restored)
            return faults + stage.inspect()

    def _part(self, service: RestoreService, snapshot: Snapshot, part: str, restored: dict[str, int]) -> list[str]:
        try:
            report = service.rehearse(snapshot.id, part)
        except TocsinError as error:
            return [f"{part}: {error}"]
        restored[part] = report.created
        return [f"{part}: {one.item} {one.why or ', '.join(one.fields)}" for one in report.differences]
