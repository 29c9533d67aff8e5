"""The alert tasks; thin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import shared_task

from tasks.carriers import AlertTask

if TYPE_CHECKING:
    from tasks.base import TocsinTask


@shared_task(bind=True, name="alerts.submit", base=AlertTask, has_effect=False)
def submit(self: AlertTask, alerts: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Accept alerts: `[{"service", "event_action", "dedup_key"?, "payload", …}]`, an Events v2 body with a service's name for its key.

    Without arguments it decides on what waits in the inbox. Answers one decision per alert; safe to run twice.
    """
    service = self.runtime.alerts
    report = service.drain_inbox() if alerts is None else service.submit(self.request.id, alerts)
    return report.model_dump(exclude_defaults=True)


@shared_task(bind=True, name="alerts.silence", harmless={"action": ("list", "preview")})
def silence(self: TocsinTask, action: str = "list", **asked: Any) -> dict[str, Any]:
    """Create, preview, expire or list silences and maintenance windows.

    `action="create"` and `"preview"` take what a silence is made of: `matchers` and `services`, `duration_seconds` or
    `ends_at`, `author`, `comment`, and `kind`, `starts_at`; `"expire"` takes `id` and `author`; `"list"` takes
    `include_ended`. Answers the silence, the preview or `{"silences": […]}`.
    """
    return self.runtime.silence_requests.answer(action, asked)


@shared_task(bind=True, name="alerts.pulse", ignore_result=True, has_effect=False)
def pulse(self: TocsinTask) -> None:
    """Show that workers of group `alert` live, and pass the beat on to those of group `delivery`."""
    self.runtime.pulse.came_by("alert")
