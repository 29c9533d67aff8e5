"""The tasks of records that are past their time; thin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import shared_task

if TYPE_CHECKING:
    from tasks.base import TocsinTask


@shared_task(bind=True, name="logs.clean_up", authority="logs.clean_up", time_limit=3300, soft_time_limit=3240)
def clean_up(self: TocsinTask, classes: list[str] | None = None, dry_run: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 (arguments of a message)
    """Archive, verify and delete what is past its time: of these `classes`, or of all. Safe to run twice, and to kill.

    It is about the files of the machine that runs it, and about Redis.
    """
    return self.runtime.logs.clean_up.run(classes or (), dry_run=dry_run).model_dump(mode="json")
