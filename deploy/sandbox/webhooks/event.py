"""An event as a webhook carries it."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.happenings import Happening

GUARANTEED_BYTES = 55 * 1024
LARGEST_BYTES = 256 * 1024
# What can be large in an event's data, and is left out of an event that is.
DETAILS = ("body", "details", "custom_details", "custom_fields", "first_trigger_log_entry", "alerts")

INCIDENT_EVENTS = (
    "incident.acknowledged",
    "incident.annotated",
    "incident.conference_bridge.updated",
    "incident.custom_field_values.updated",
    "incident.delegated",
    "incident.escalated",
    "incident.incident_type.changed",
    "incident.priority_updated",
    "incident.reassigned",
    "incident.reopened",
    "incident.resolved",
    "incident.responder.added",
    "incident.responder.replied",
    "incident.role.assigned",
    "incident.service_updated",
    "incident.status_update_published",
    "incident.task.completed",
    "incident.task.created",
    "incident.task.updated",
    "incident.triggered",
    "incident.unacknowledged",
    "incident.action_invocation.created",
    "incident.action_invocation.terminated",
    "incident.action_invocation.updated",
    "incident.workflow.started",
    "incident.workflow.completed",
)
SERVICE_EVENTS = ("service.created", "service.custom_field_values.updated", "service.deleted", "service.updated")
EVENTS = (*INCIDENT_EVENTS, *SERVICE_EVENTS)

_numbers = itertools.count(1)


def new_event(happening: Happening) -> dict[str, Any]:
    """The event that tells of a happening, with an id of its own."""
    return {
        "id": new_id(),
        "event_type": happening.event_type,
        "resource_type": happening.event_type.partition(".")[0],
        "occurred_at": _instant(happening.at),
        "agent": happening.agent,
        "client": happening.client,
        "data": happening.data,
    }


def new_id() -> str:
    """An event's id, in the length of PagerDuty's."""
    return f"01SANDBOX{next(_numbers):017d}"


def to_body(event: Mapping[str, Any]) -> bytes | None:
    """The bytes to send: whole up to 55 KB, without details above, None above 256 KB."""
    body = dump(event)
    if len(body) > GUARANTEED_BYTES:
        lean = {name: value for name, value in event["data"].items() if name not in DETAILS}
        body = dump({**event, "data": lean})
    return body if len(body) <= LARGEST_BYTES else None


def dump(event: Mapping[str, Any]) -> bytes:
    """An event in its envelope, as it is sent and signed."""
    return json.dumps({"event": event}, separators=(",", ":")).encode()


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
