"""The incident tasks; thin. Each answers `{"request_id", "verb", "state", "answers": [{"target", "outcome", "id", "number", "why"}]}`.

Incidents are named by id, number, URL or dedup key, one or a list. `note` is left on each of them afterwards. `author` is who asks, for the
record; `from_email` the PagerDuty user in whose name. `request_id` (default: the task's id) makes a second delivery do nothing twice. While
PagerDuty is away the answer's state is `open`, and workers carry on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import shared_task

from tasks.incidents.wishes import wish_of

if TYPE_CHECKING:
    from tasks.base import TocsinTask

Names = str | int | list[str | int]
MENDED = ("rebuilt", "resolved_again", "acknowledged", "closed")


def _ask(task: TocsinTask, verb: str, targets: Any, request_id: str | None, asked: dict[str, Any]) -> dict[str, Any]:
    wish = wish_of(verb, targets, **asked)
    return task.runtime.incidents.service.ask(request_id or task.request.id, wish).model_dump(
        mode="json", exclude_defaults=True
    )


@shared_task(bind=True, name="incidents.create")
def create(
    self: TocsinTask, title: str, service: str = "", request_id: str | None = None, **asked: Any
) -> dict[str, Any]:
    """Create an incident of a `service`, ours by its name, or PagerDuty's id.

    Also: `body`, `urgency`, `priority`, `key` (there is only one open incident with it), `users` or `escalation_policy`.
    """
    place = self.runtime.incidents.service.place_of(service)
    return _ask(self, "create", (), request_id, {"title": title, "service": place, **asked})


@shared_task(bind=True, name="incidents.update")
def update(self: TocsinTask, incidents: Names, request_id: str | None = None, **asked: Any) -> dict[str, Any]:
    """Change incidents: `title`, `urgency`, `priority`, `escalation_level`, or tell subscribers by `status_update`."""
    return _ask(self, "update", incidents, request_id, asked)


@shared_task(bind=True, name="incidents.acknowledge")
def acknowledge(self: TocsinTask, incidents: Names, request_id: str | None = None, **asked: Any) -> dict[str, Any]:
    """Acknowledge incidents; one that is resolved stays so."""
    return _ask(self, "acknowledge", incidents, request_id, asked)


@shared_task(bind=True, name="incidents.resolve")
def resolve(self: TocsinTask, incidents: Names, request_id: str | None = None, **asked: Any) -> dict[str, Any]:
    """Resolve incidents."""
    return _ask(self, "resolve", incidents, request_id, asked)


@shared_task(bind=True, name="incidents.merge")
def merge(self: TocsinTask, into: str, incidents: Names, request_id: str | None = None, **asked: Any) -> dict[str, Any]:
    """Merge incidents `into` another one, which takes over their alerts; they are resolved."""
    return _ask(self, "merge", incidents, request_id, {"into": into, **asked})


@shared_task(bind=True, name="incidents.snooze")
def snooze(
    self: TocsinTask, incidents: Names, seconds: int, request_id: str | None = None, **asked: Any
) -> dict[str, Any]:
    """Keep incidents quiet for so many seconds, a week at most; then they trigger anew."""
    return _ask(self, "snooze", incidents, request_id, {"seconds": seconds, **asked})


@shared_task(bind=True, name="incidents.note")
def note(self: TocsinTask, incidents: Names, note: str, request_id: str | None = None, **asked: Any) -> dict[str, Any]:
    """Leave a note on incidents, once."""
    return _ask(self, "note", incidents, request_id, {"note": note, **asked})


@shared_task(bind=True, name="incidents.reassign")
def reassign(self: TocsinTask, incidents: Names, request_id: str | None = None, **asked: Any) -> dict[str, Any]:
    """Give incidents to `users` (PagerDuty's ids), or to an `escalation_policy`."""
    return _ask(self, "reassign", incidents, request_id, asked)


@shared_task(bind=True, name="incidents.act", has_effect=False)
def act(self: TocsinTask) -> dict[str, Any]:
    """Carry on with the actions that are due. A hint carries no work: the rows say what to do."""
    return self.runtime.incidents.service.work().model_dump()


@shared_task(bind=True, name="incidents.verify", has_effect=False)
def verify(self: TocsinTask) -> dict[str, Any]:
    """Look whether PagerDuty shows incidents of what it took, and have it said elsewhere where it does not. A hint carries no work."""
    return self.runtime.receipts.verify().model_dump(exclude_defaults=True)


@shared_task(bind=True, name="incidents.maintenance", has_effect=False)
def maintenance(self: TocsinTask) -> dict[str, Any]:
    """Take over PagerDuty's maintenance windows: alerts of services that are in one are held back while it lasts."""
    return self.runtime.maintenance.refresh().model_dump()


@shared_task(bind=True, name="incidents.sync", harmless={"dry_run": (True,)}, tells=MENDED)
def sync(self: TocsinTask, *, dry_run: bool = False) -> dict[str, Any]:
    """Compare our alerts with PagerDuty's open incidents and mend what differs; with `dry_run` only say it. One runs at a time."""
    return self.runtime.incident_sync.run(dry_run=dry_run).model_dump(mode="json", exclude_defaults=True)
