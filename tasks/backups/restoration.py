"""Restoring a backup: a plan that changes nothing, then its doing, which goes on where it was broken off."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.checking import Checker
from tasks.backups.codec import DamagedError
from tasks.backups.files import stored_file
from tasks.backups.items import Item
from tasks.backups.journal import RestoreJournal
from tasks.backups.listings import FILE
from tasks.backups.manifests import Manifest
from tasks.backups.models import ChangeView, RestorePlan, RestoreReport
from tasks.backups.service import progress
from tasks.backups.storage import Hold
from tasks.backups.views import view_of
from tasks.utils.error_handler import UnknownError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tasks.backups.files import StoredFile
    from tasks.backups.manifests import Snapshot
    from tasks.backups.objects import Objects
    from tasks.backups.repository import Repository
    from tasks.backups.restoring import Change, Outcome, Plan, Restorer
    from tasks.backups.standing import BackupStanding

FLIGHT: Final = "backups.restore"
ORDER: Final = ("config", "state", "account")


@dataclass(frozen=True)
class Planned:
    """A plan with what it takes to do it."""

    view: RestorePlan
    snapshot: Snapshot
    manifest: Manifest
    plans: dict[str, tuple[Restorer, Plan]]


class RestoreService:
    """Of one repository. `restorers` makes the restorer of each part; it is told the short id of the backup."""

    def __init__(
        self,
        repository: Repository,
        restorers: Mapping[str, Callable[[str], Restorer]],
        journals: Path,
        standing: BackupStanding,
        alone: Callable[[str], AbstractContextManager[Any]],
    ) -> None:
        self.repository = repository
        self._restorers = restorers
        self._journals = journals
        self._standing = standing
        self._alone = alone

    def plan(self, reference: str, targets: Sequence[str] = ()) -> Planned:
        """What restoring these parts, or all there are, would do. DamagedError: something that is needed is damaged."""
        with self.repository.storage.hold(Hold.READ):
            return self._planned(self.repository.find(reference), targets)

    def _planned(self, snapshot: Snapshot, targets: Sequence[str]) -> Planned:
        manifest = self.repository.manifest(snapshot)
        objects = self.repository.objects()
        chosen = self._chosen(manifest, targets)
        _refuse_damaged(objects, manifest, chosen)
        plans: dict[str, tuple[Restorer, Plan]] = {}
        for target in chosen:
            restorer = self._restorers[target](snapshot.short)
            plans[target] = (restorer, restorer.plan(self._items(manifest, objects, target)))
        view = RestorePlan(
            backup=view_of(snapshot),
            targets=chosen,
            counts={target: plan.counts() for target, (_, plan) in plans.items()},
            changes=[_view(target, change) for target, (_, plan) in plans.items() for change in plan.changes],
            resumes=any(self._journal(snapshot, target).exists for target in chosen),
        )
        return Planned(view, snapshot, manifest, plans)

    def _chosen(self, manifest: Manifest, targets: Sequence[str]) -> list[str]:
        for target in targets:
            if target not in manifest.lists:
                held = ", ".join(sorted(manifest.lists))
                raise UnknownError(f"the backup {manifest.snapshot.short} has no part {target!r}; it has {held}")
            if target not in self._restorers:
                raise UnknownError(f"the part {target!r} cannot be restored here: set PAGERDUTY_API_KEY")
        return [
            name
            for name in ORDER
            if name in (targets or manifest.lists) and name in self._restorers and name in manifest.lists
        ]

    def _items(self, manifest: Manifest, objects: Objects, target: str) -> Iterator[Item | StoredFile]:
        for named in self.repository.named(manifest, objects, [target]):
            if named.form == FILE:
                yield stored_file(objects, named.kind, named.id, named.object)
            else:
                yield Item(named.kind, named.id, json.loads(objects.read(named.object)))

    def apply(self, planned: Planned) -> RestoreReport:
        """Do what was planned. Run again after it was broken off it goes on; run again after its end it changes nothing."""
        with self._alone(FLIGHT):
            report = self.carry_out(planned)
        self._standing.note("restored", report)
        return report

    def rehearse(self, reference: str, target: str) -> RestoreReport:
        """Plan and do it where nobody else does anything."""
        return self.carry_out(self.plan(reference, [target]))

    def carry_out(self, planned: Planned) -> RestoreReport:
        """Do what was planned, where nobody else does anything and no server need know."""
        began = time.monotonic()
        report = RestoreReport(backup=planned.view.backup, plan=planned.view.counts)
        with self.repository.storage.hold(Hold.READ):
            for target, (restorer, plan) in planned.plans.items():
                journal = self._journal(planned.snapshot, target)
                with closing(journal):
                    _add(report, target, restorer.apply(plan, journal, progress))
                journal.end()
        report.took_seconds = round(time.monotonic() - began, 3)
        return report

    def restore(
        self, reference: str, targets: Sequence[str] = (), *, dry_run: bool = True
    ) -> RestorePlan | RestoreReport:
        """The plan, and what came of it unless it is a dry run."""
        planned = self.plan(reference, targets)
        return planned.view if dry_run else self.apply(planned)

    def _journal(self, snapshot: Snapshot, target: str) -> RestoreJournal:
        codec = self.repository.codec(encrypted=snapshot.is_encrypted)
        return RestoreJournal(self._journals / f"{snapshot.short}-{target}.journal", codec)


def _refuse_damaged(objects: Objects, manifest: Manifest, targets: Sequence[str]) -> None:
    """Every byte that will be needed is read before anything is changed."""
    wanted = Manifest(manifest.snapshot, {name: kinds for name, kinds in manifest.lists.items() if name in targets})
    faults = Checker(objects, read_data=True).faults(wanted)
    if faults:
        what = next(iter(faults))
        raise DamagedError(
            f"the backup {manifest.snapshot.short} is damaged, so nothing was restored: {what}; "
            "`tocsin backups verify --read-data` names what is, and the last good backup"
        )


def _add(report: RestoreReport, target: str, outcome: Outcome) -> None:
    report.created += outcome.created
    report.changed += outcome.changed
    report.differences += [_view(target, change) for change in outcome.differences]


def _view(target: str, change: Change) -> ChangeView:
    item = f"{change.kind}/{change.id}"
    return ChangeView(
        target=target, verb=change.verb, item=item, title=change.title, why=change.why, fields=list(change.fields)
    )
