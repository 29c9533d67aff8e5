"""The task that replaces keys; thin. Values of keys are in no argument and no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from celery import shared_task

if TYPE_CHECKING:
    from tasks.base import TocsinTask

LONG: Final = {"time_limit": 900, "soft_time_limit": 870}  # seconds


@shared_task(bind=True, name="tokens.rotate", authority="tokens.rotate", **LONG)
def rotate(self: TocsinTask, kind: str = "", key: str = "", dry_run: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
    """Replace one key by a new one. Without a kind: go on with what is under way, and replace what is past its age (`tokens.rotate`)."""
    return self.runtime.tokens.rotate(kind, key, dry_run=dry_run).model_dump(mode="json")
