"""Backups as verbs: create, list, verify, prune, compare."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.beside import KeyGuard
from tasks.backups.checking import Checker
from tasks.backups.codec import DamagedError
from tasks.backups.completeness import gone, kinds_before, suspicions, warnings_of
from tasks.backups.differences import Differ
from tasks.backups.listings import FILE
from tasks.backups.models import BackupView, CreateReport
from tasks.backups.pruning import Pruner
from tasks.backups.snapshotting import Origin, Snapshotter
from tasks.backups.storage import Hold
from tasks.backups.verification import Verifier
from tasks.backups.views import view_of
from tasks.utils.error_handler import TransientError, UnknownError
from tasks.utils.progress import report as tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tasks.backups.items import Source
    from tasks.backups.manifests import Snapshot
    from tasks.backups.models import DiffReport, PruneReport, VerifyReport
    from tasks.backups.repository import Named, Repository
    from tasks.backups.retention import Keep
    from tasks.backups.standing import BackupStanding

FLIGHT: Final = "backups"  # create and prune, on whatever machine, one at a time
PARTS: Final = ("account", "state", "config")
OUTSIDE: Final = ("account",)  # where it cannot be read, the others are backed up all the same


class PartlyBackedUpError(TransientError):
    """A part could not be read, and is not in the backup that was made; the text says which and why."""


@dataclass(frozen=True)
class BackupRules:
    """Where backups are made, what is kept, which keys must not lie beside them; `absent`: parts that cannot be read here, and why."""

    origin: Origin
    keep: Keep
    keys: tuple[str, ...]
    absent: Mapping[str, str]


class BackupService:
    """One repository. `sources` makes each source when it is read; `alone` lets one at a time write, across machines."""

    def __init__(
        self,
        repository: Repository,
        sources: Mapping[str, Callable[[], Source]],
        rules: BackupRules,
        standing: BackupStanding,
        alone: Callable[[str], AbstractContextManager[Any]],
        now: Callable[[], datetime],
    ) -> None:
        self.repository = repository
        self.standing = standing
        self.rules = rules
        self._sources = sources
        self._alone = alone
        self._now = now
        self._guard = KeyGuard(rules.keys)

    def create(self, parts: Sequence[str] = (), *, encrypt: bool | None = None, note: str = "") -> CreateReport:
        """A new backup, of all parts there are or of these. It is read again before it counts.

        `encrypt`: None encrypts where a key is set.
        """
        names, warnings = self._chosen(parts)
        with self._alone(FLIGHT), self.repository.storage.hold(Hold.WRITE):
            self._guard.refuse_beside(self.repository.storage)
            warnings += suspicions(self.repository, self.standing, self._now())
            header = self.repository.begin(encrypt=encrypt)
            before = kinds_before(self.repository, self.repository.snapshots())
            sources, may_miss = [self._sources[name]() for name in names], () if parts else OUTSIDE
            snapshotter = Snapshotter(self.repository, sources, self._guard.masked, may_miss)
            snapshot = snapshotter.take(header, self.rules.origin._replace(note=note), self._now(), progress)
            self._read_again(snapshot)
        warnings += [f"the part {name} is not in it: {why}" for name, why in snapshotter.missed.items()]
        warnings += warnings_of(snapshotter.gaps, before)
        if not snapshot.is_encrypted:
            warnings.append("the backup is not encrypted: set ENCRYPTION_KEY")
        ratio = round(100 * snapshot.added / snapshot.bytes, 2) if snapshot.bytes else 0.0
        missed = snapshotter.missed | gone(before, snapshotter.gaps)
        left_out = {gap.kind: gap.why for gap in snapshotter.gaps if gap.kind not in PARTS}
        report = CreateReport(
            backup=view_of(snapshot), ratio=ratio, warnings=warnings, missed=missed, left_out=left_out
        )
        if not parts:  # of some parts, it says nothing of how old the others are
            self.standing.note("created", report)
        return report

    def create_or_fail(self, parts: Sequence[str] = (), *, note: str = "") -> CreateReport:
        """The same, for schedules: PartlyBackedUpError where a part could not be read; the others are in the backup."""
        report = self.create(parts, note=note)
        if report.missed:
            raise PartlyBackedUpError(f"backup {report.backup.id[:8]} is not whole: {'; '.join(report.warnings)}")
        return report

    def _chosen(self, parts: Sequence[str]) -> tuple[list[str], list[str]]:
        unknown = [part for part in parts if part not in PARTS]
        missing = [self.rules.absent[part] for part in parts if part in self.rules.absent]
        if unknown or missing:
            raise UnknownError("; ".join([*(f"there is no part {part!r} of a backup" for part in unknown), *missing]))
        names = [name for name in PARTS if name in self._sources and (not parts or name in parts)]
        return names, [] if parts else list(self.rules.absent.values())

    def _read_again(self, snapshot: Snapshot) -> None:
        """What was stored just now is read from the storage; DamagedError: it is not what was to be stored."""
        objects = self.repository.objects()
        checker = Checker(objects, read_data=False)
        fresh = [blob for blob in objects.packs if blob.name in snapshot.packs]
        wrong = [what for blob in fresh for _, what in checker.read_pack(blob)]
        wrong += checker.faults(self.repository.manifest(snapshot))
        if wrong:
            self.repository.forget(snapshot)
            raise DamagedError(
                f"the backup was not stored as it should be, so it does not count: {wrong[0]}; look at the disk"
            )

    def list(self) -> list[BackupView]:
        """Every backup, the oldest first. Needs no key."""
        return [view_of(snapshot) for snapshot in self.repository.snapshots()]

    def show(self, reference: str) -> BackupView:
        """One backup, by `latest` or the beginning of its id."""
        return view_of(self.repository.find(reference))

    def items(self, reference: str, address: str = "") -> Iterator[Named]:
        """The items of a backup whose address begins like that: `state`, `account/services`, `config/files/policies`."""
        manifest = self.repository.manifest(self.repository.find(reference))
        objects = self.repository.objects()
        wanted = address.split("/")
        for named in self.repository.named(manifest, objects, [wanted[0]] if address else ()):
            if named.name == address or named.name.startswith(f"{address.rstrip('/')}/" if address else ""):
                yield named

    def content(self, reference: str, address: str) -> dict[str, Any] | bytes:
        """One item: its document, or a file's bytes. UnknownError: there is none of that address."""
        found = next((named for named in self.items(reference, address) if named.name == address), None)
        if found is None:
            raise UnknownError(f"there is no item {address!r} in it: see `tocsin backups ls {reference}`")
        objects = self.repository.objects()
        document: dict[str, Any] = json.loads(objects.read(found.object))
        return b"".join(map(objects.read, document["chunks"])) if found.form == FILE else document

    def diff(self, before: str, after: str) -> DiffReport:
        """What differs between two backups."""
        older, newer = (self.repository.manifest(self.repository.find(one)) for one in (before, after))
        return Differ(self.repository, self.repository.objects()).compare(older, newer)

    def verify(self, *, read_data: bool = False) -> VerifyReport:
        """Whether everything is as it was written; with `read_data` every byte is read."""
        report = Verifier(self.repository, read_data=read_data, progress=progress).verify(self._now())
        self.standing.note("verified", report)
        return report

    def verify_or_fail(self, *, read_data: bool = False) -> VerifyReport:
        """The same, for schedules: DamagedError where something is damaged, with the last good backup's name."""
        report = self.verify(read_data=read_data)
        if not report.holds:
            good = f"the last good backup is {report.last_good[:8]}" if report.last_good else "no backup is good"
            raise DamagedError(f"{report.faults[0].what}; {len(report.faults)} faults in all; {good}")
        return report

    def prune(self, keep: Keep | None = None, *, dry_run: bool = False) -> PruneReport:
        """Forget what the rules do not keep, and free what nothing needs any more."""
        rules = keep or self.rules.keep
        if dry_run:
            return Pruner(self.repository, rules, progress).prune(dry_run=True)
        with self._alone(FLIGHT) as flight:
            report = Pruner(self.repository, rules, progress, flight.check).prune(dry_run=False)
        self.standing.note("pruned", report)
        return report


def progress(done: int, total: int | None, what: str) -> None:
    """Said to whoever waits."""
    tell(done, total or 0, what)
