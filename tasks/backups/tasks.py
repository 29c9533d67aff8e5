"""The backup tasks; thin. Long ones say how far they are; on whatever machine, one at a time writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from celery import shared_task

if TYPE_CHECKING:
    from tasks.base import TocsinTask

LONG: Final = {
    "time_limit": 3300,
    "soft_time_limit": 3240,
}  # seconds: a large account takes its share of PagerDuty's calls


@shared_task(bind=True, name="backups.create", **LONG)
def create(self: TocsinTask, parts: list[str] | None = None, note: str = "") -> dict[str, Any]:
    """Back up the PagerDuty account, Tocsin's state and its configuration, or those `parts`. Fails where one cannot be read."""
    return self.runtime.backups.service.create_or_fail(parts or (), note=note).model_dump(mode="json")


@shared_task(bind=True, name="backups.verify", has_effect=False, **LONG)
def verify(self: TocsinTask, read_data: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 (an argument of a message)
    """Check every backup against its manifest; with `read_data` every byte of them. Fails where something is not as it was written."""
    return self.runtime.backups.service.verify_or_fail(read_data=read_data).model_dump(mode="json")


@shared_task(bind=True, name="backups.restore", authority="backups.restore", **LONG)
def restore(self: TocsinTask, backup: str, targets: list[str], dry_run: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002
    """Restore these parts (account, state, config) of a backup, by `latest` or its id; unless told otherwise only plan it."""
    return self.runtime.backups.restores.restore(backup, targets, dry_run=dry_run).model_dump(mode="json")


@shared_task(bind=True, name="backups.prune", authority="backups.prune", **LONG)
def prune(self: TocsinTask, dry_run: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
    """Forget backups that `backups.keep` does not keep, never the last good one, and free what nothing needs any more."""
    return self.runtime.backups.service.prune(dry_run=dry_run).model_dump(mode="json")


@shared_task(bind=True, name="backups.drill", **LONG)
def drill(self: TocsinTask) -> dict[str, Any]:
    """Restore the newest backup into a sandbox, and say how old it was and how long that took. Fails where that cannot be done."""
    return self.runtime.backups.drills.drill_or_fail().model_dump(mode="json")
