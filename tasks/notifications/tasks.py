"""The notification tasks; thin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import shared_task

if TYPE_CHECKING:
    from tasks.base import TocsinTask


@shared_task(bind=True, name="notifications.deliver", has_effect=False)
def deliver(self: TocsinTask) -> dict[str, Any]:
    """Send everything that is due. A hint carries no work: the rows say what to do."""
    return self.runtime.delivery.drain().model_dump()


@shared_task(bind=True, name="notifications.digest", has_effect=False)
def digest(self: TocsinTask) -> dict[str, Any]:
    """Seal what waits to be told together and is due, so that it can be sent."""
    return self.runtime.delivery.digest().model_dump()


@shared_task(bind=True, name="notifications.sweep", has_effect=False)
def sweep(self: TocsinTask) -> dict[str, Any]:
    """The safety net beneath the pump: gives a due time to every waiting alert that has lost its own."""
    return self.runtime.delivery.sweep().model_dump()


@shared_task(bind=True, name="notifications.replay", harmless={"dry_run": (True,)})
def replay(
    self: TocsinTask,
    event_ids: list[str] | None = None,
    where: dict[str, Any] | None = None,
    dry_run: bool = False,  # noqa: FBT001, FBT002 - an argument of the wire
) -> dict[str, Any]:
    """Put dead letters back to be decided on again: by their event ids, or all that `where` fits (`{}`: every one).

    `where`: `{"service", "reason", "channel", "action", "severity", "summary", "since", "until"}`, any of them. `dry_run` counts only.
    """
    return self.runtime.letter_care.asked(event_ids, where, dry_run=dry_run).model_dump()


@shared_task(bind=True, name="notifications.pulse", ignore_result=True, has_effect=False)
def pulse(self: TocsinTask) -> None:
    """Show that workers of group `delivery` live: the end of a beat's way."""
    self.runtime.pulse.came_by("delivery")
