"""Verifying a repository: every file, every object, every snapshot; what is not as it was written is named."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tasks.backups import header as headers
from tasks.backups.checking import Checker
from tasks.backups.codec import DamagedError
from tasks.backups.header import NoKeyError
from tasks.backups.models import MOST_NAMED, Fault, VerifyReport
from tasks.backups.quarantine import Quarantine
from tasks.backups.storage import Hold
from tasks.utils.error_handler import TransientError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tasks.backups.items import Progress
    from tasks.backups.manifests import Snapshot
    from tasks.backups.objects import Objects
    from tasks.backups.repository import Repository


class Verifier:
    """One look at a whole repository."""

    def __init__(self, repository: Repository, *, read_data: bool, progress: Progress) -> None:
        self._repository = repository
        self._read_data = read_data
        self._progress = progress
        self._faults: dict[str, Fault] = {}
        self._notes: list[str] = []

    def verify(self, at: datetime) -> VerifyReport:
        """What was found at that moment. NoKeyError: it is encrypted, and the key is not here."""
        began = time.monotonic()
        with self._repository.storage.hold(Hold.READ):
            self._look_at_headers()
            objects = self._repository.objects()
            checker = Checker(objects, read_data=self._read_data)
            self._look_at_packs(objects, checker)
            snapshots = self._snapshots()
            good = [snapshot for snapshot in snapshots if self._is_good(snapshot, checker)]
        if not snapshots:
            self._notes.append(f"there is no backup in {self._repository.storage.place}")
        faults = list(self._faults.values())
        return VerifyReport(
            holds=not faults,
            data_read=self._read_data,
            at=at,
            backups=len(snapshots),
            objects=len(objects.places),
            packs=len(objects.packs) + len(objects.damage),
            bytes=checker.bytes,
            took_seconds=round(time.monotonic() - began, 3),
            faults=faults,
            notes=self._notes,
            good=[snapshot.id for snapshot in good],
            last_good=good[-1].id if good else "",
        )

    def _fault(self, what: str, items: Sequence[str] = (), snapshot: Snapshot | None = None) -> None:
        fault = self._faults.setdefault(what, Fault(what=what))
        known = set(fault.items)
        fresh = [item for item in items if item not in known]
        room = MOST_NAMED - len(fault.items)
        fault.items += fresh[:room]
        fault.more_items += len(fresh[room:]) if room < len(fresh) else 0
        if snapshot is not None and len(fault.backups) < MOST_NAMED:
            fault.backups.append(snapshot.id)

    def _look_at_headers(self) -> None:
        storage = self._repository.storage
        found = headers.copies(storage)
        for name, copy in found.items():
            if copy is None:
                self._fault(f"{name} is damaged; the next `tocsin backups create` writes it anew from the other copy")
        if len(found) == 1:
            self._fault(
                f"{next(iter(set(headers.NAMES) - set(found)))} is missing; `tocsin backups create` writes it anew"
            )
        if len({copy for copy in found.values() if copy}) > 1:
            self._notes.append(
                "the two copies of repository.json differ: a change of the key was broken off; `create` ends it"
            )
        try:
            Quarantine(storage).read()
        except DamagedError as error:
            self._fault(str(error))
        for stranger in storage.strangers():
            self._notes.append(f"{stranger.name} is none of the repository's files")

    def _look_at_packs(self, objects: Objects, checker: Checker) -> None:
        for what in objects.damage.values():
            self._fault(what)
        if not self._read_data:
            return
        damaged: set[tuple[str, str]] = set()
        for number, blob in enumerate(objects.packs):
            self._progress(number, len(objects.packs), "packs")
            for name, what in checker.read_pack(blob):
                self._fault(what)
                damaged |= {(blob.name, name)} if name else set()
        try:
            Quarantine(objects.storage).write(damaged)
        except TransientError as error:
            self._notes.append(f"what is damaged could not be noted, so the next backup will not heal it: {error}")

    def _snapshots(self) -> list[Snapshot]:
        whole = []
        for found in self._repository.all():
            if isinstance(found, DamagedError):
                self._fault(str(found))
            else:
                whole.append(found)
        return whole

    def _is_good(self, snapshot: Snapshot, checker: Checker) -> bool:
        self._progress(0, None, f"backup {snapshot.short}")
        try:
            manifest = self._repository.manifest(snapshot)
        except NoKeyError:
            raise
        except DamagedError as error:
            self._fault(str(error), snapshot=snapshot)
            return False
        found = checker.faults(manifest)
        for what, items in found.items():
            self._fault(what, items, snapshot)
        return not found
