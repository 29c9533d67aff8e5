"""Forgetting backups by rules, and freeing what none of the others needs.

The order makes every crash harmless: manifests go first, one by one; then what is still needed of wasteful packs is stored
again; then the old packs go. What was broken off leaves more than is needed, never less, and the next run frees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.backups.checking import Checker, live_objects
from tasks.backups.codec import DamagedError
from tasks.backups.completeness import ACCOUNT, unseen
from tasks.backups.models import PruneReport
from tasks.backups.packs import PackWriter
from tasks.backups.retention import kept
from tasks.backups.storage import Hold
from tasks.backups.views import view_of
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tasks.backups.items import Progress
    from tasks.backups.manifests import Snapshot
    from tasks.backups.objects import Objects
    from tasks.backups.repository import Repository
    from tasks.backups.retention import Keep
    from tasks.backups.storage import Blob

WASTE: Final = 0.3  # share of a pack that may be garbage before it is written anew
SMALL: Final = 1 << 20
MOST_SMALL: Final = 24  # packs so small: more of them are put together


class Pruner:
    """One run. `still_ours` is asked before anything goes: it raises if somebody else has taken over."""

    def __init__(
        self, repository: Repository, keep: Keep, progress: Progress, still_ours: Callable[[], None] = lambda: None
    ) -> None:
        if keep.is_empty:
            raise PermanentError(
                "these rules keep no backup at all: give at least one of --keep-last, -hourly, -daily, -weekly, -monthly"
            )
        self._repository = repository
        self._keep = keep
        self._progress = progress
        self._still_ours = still_ours
        self._good: dict[str, bool] = {}

    def prune(self, *, dry_run: bool) -> PruneReport:
        """What was done, or would be. PermanentError: no backup is good, so nothing is touched."""
        with self._repository.storage.hold(Hold.READ if dry_run else Hold.DELETE):
            snapshots, unknown = self._snapshots()
            report = PruneReport(dry_run=dry_run)
            if not snapshots:
                return report
            objects = self._repository.objects()
            report.reasons = self._reasons(snapshots, objects)
            stay = [one for one in snapshots if one.id in report.reasons]
            go = [one for one in snapshots if one.id not in report.reasons]
            report.kept, report.forgotten = list(map(view_of, stay)), list(map(view_of, go))
            self._forget(go, report)
            if unknown:
                report.notes += [_not_known(what) for what in unknown]
            else:
                self._free(stay, objects, report)
        return report

    def _snapshots(self) -> tuple[list[Snapshot], list[str]]:
        """Those whose manifest says what it said, and what is to be said of the others: what they need cannot be known."""
        found = self._repository.all()
        whole = [one for one in found if not isinstance(one, DamagedError) and not one.wrong]
        return whole, [str(one) if isinstance(one, DamagedError) else one.wrong for one in found if one not in whole]

    def _forget(self, snapshots: Sequence[Snapshot], report: PruneReport) -> None:
        for snapshot in [] if report.dry_run else snapshots:
            self._still_ours()
            self._repository.forget(snapshot)

    def _reasons(self, snapshots: Sequence[Snapshot], objects: Objects) -> dict[str, list[str]]:
        """Why each of those that stay does. Of every part at least one good backup is among them, which is seen by reading it.

        One whose key was not shown some kinds of the account does not displace the last good one that has them.
        """
        checker = Checker(objects, read_data=True)
        reasons = kept(snapshots, self._keep)
        stay = [one for one in reversed(snapshots) if one.id in reasons]
        go = [one for one in reversed(snapshots) if one.id not in reasons]
        for part in sorted({part for snapshot in snapshots for part in snapshot.parts}):
            held = [one for one in (*stay, *go) if part in one.parts]
            good = next((one for one in held if self._is_good(one, checker)), None)
            if good is None:
                raise PermanentError(
                    f"no backup of the part {part} is good, so none is forgotten: see `tocsin backups verify --read-data`, "
                    "then make a new one"
                )
            reasons.setdefault(good.id, []).append(f"last good one of {part}")
            for kind in unseen(self._repository.manifest(good), objects) if part == ACCOUNT else ():
                whole = next(
                    (one for one in held if self._is_good(one, checker) and self._has(one, kind, objects)), None
                )
                if whole is not None:
                    reasons.setdefault(whole.id, []).append(f"last good one with {kind} of the account")
        return reasons

    def _has(self, snapshot: Snapshot, kind: str, objects: Objects) -> bool:
        """Whether it holds a kind of the account as a key was shown it that was shown all of it."""
        manifest = self._repository.manifest(snapshot)
        return kind in manifest.lists[ACCOUNT] and kind not in unseen(manifest, objects)

    def _is_good(self, snapshot: Snapshot, checker: Checker) -> bool:
        if snapshot.id not in self._good:
            self._progress(0, None, f"reading backup {snapshot.short}")
            try:
                self._good[snapshot.id] = not checker.faults(self._repository.manifest(snapshot))
            except DamagedError:
                self._good[snapshot.id] = False
        return self._good[snapshot.id]

    def _free(self, stay: Sequence[Snapshot], objects: Objects, report: PruneReport) -> None:
        live: set[str] = set()
        try:
            for snapshot in stay:
                live_objects(objects, self._repository.manifest(snapshot), live, self._progress)
        except DamagedError as error:
            report.notes.append(_not_known(str(error)))
            return
        wasteful = _wasteful(objects, live)
        if live <= objects.places.keys():
            wasteful += objects.damage  # whatever they held is there elsewhere, or nobody needs it
        else:
            report.notes += [
                f"{what}; it stays while a backup needs what it may hold" for what in objects.damage.values()
            ]
        report.bytes_freed = sum(blob.size for blob in wasteful)
        report.packs_deleted = len(wasteful)
        if not report.dry_run:
            self._still_ours()
            self._rewrite(objects, wasteful, live, report)

    def _rewrite(self, objects: Objects, wasteful: Sequence[Blob], live: set[str], report: PruneReport) -> None:
        written = _Copier(objects, live)
        for number, blob in enumerate(wasteful):
            self._progress(number, len(wasteful), "packs")
            if blob in objects.packs:
                written.copy(blob)
        report.bytes_freed -= written.flush()
        report.packs_written = len(written.packs)
        self._read_again(written.packs)
        self._still_ours()
        for blob in wasteful:
            objects.storage.delete(blob.name)

    def _read_again(self, packs: set[str]) -> None:
        """DamagedError: what was stored again is not what it should be, so what it was taken from stays."""
        objects = self._repository.objects()
        checker = Checker(objects, read_data=False)
        wrong = [what for blob in objects.packs if blob.name in packs for _, what in checker.read_pack(blob)]
        missing = packs - {blob.name for blob in objects.packs}
        if wrong or missing:
            what = wrong[0] if wrong else f"{min(missing)} cannot be read"
            raise DamagedError(
                f"data was not stored again as it should be, so nothing was freed: {what}; look at the disk"
            )


class _Copier:
    """Stores again what is needed of packs that are to go."""

    def __init__(self, objects: Objects, live: set[str]) -> None:
        self._objects = objects
        self._live = live
        self._writers: dict[bytes, PackWriter] = {}
        self.packs: set[str] = set()

    def copy(self, blob: Blob) -> None:
        """Read every needed object before it is stored again: damage must not be copied, nor be lost sight of."""
        codec = self._objects.written(blob.name)
        writer = self._writers.setdefault(codec.mark, PackWriter(self._objects.storage, codec))
        for name, place in self._objects.packs[blob].items():
            if name in self._live and self._objects.places.get(name) == place:
                places = writer.add(name, self._objects.read(name))
                self.packs |= {found.pack for found in places.values()}

    def flush(self) -> int:
        """Store the rest; how many bytes were stored."""
        for writer in self._writers.values():
            self.packs |= {found.pack for found in writer.flush().values()}
        return sum(writer.bytes for writer in self._writers.values())


def _wasteful(objects: Objects, live: set[str]) -> list[Blob]:
    """Packs to go: those nobody needs, those that are garbage to a good part, and small ones where they are many."""
    waste = {blob: _waste(objects, blob, live) for blob in objects.packs}
    found = [blob for blob, share in waste.items() if share > WASTE]
    small = [blob for blob, share in waste.items() if share <= WASTE and blob.size < SMALL]
    return sorted([*found, *(small if len(small) > MOST_SMALL else [])], key=lambda blob: blob.name)


def _not_known(what: str) -> str:
    return f"{what}: what it needs is not known, so no data is freed until it is healed or forgotten"


def _is_spare(objects: Objects, name: str, live: set[str]) -> bool:
    """Whether a damaged object is there once more, whole, or nobody needs it."""
    return name in objects.places or name not in live


def _waste(objects: Objects, blob: Blob, live: set[str]) -> float:
    """The share of a pack's bytes that no backup needs; 1.0, too, where it holds what is damaged and there once more."""
    if any((blob.name, name) in objects.quarantined and _is_spare(objects, name, live) for name in objects.packs[blob]):
        return 1.0
    needed = [
        place.size for name, place in objects.packs[blob].items() if name in live and objects.places.get(name) == place
    ]
    return 1 - sum(needed) / max(1, sum(place.size for place in objects.packs[blob].values())) if needed else 1.0
