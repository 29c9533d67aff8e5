"""What people write short, as PagerDuty wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping

REFERENCES: Final = {"service_id": "service", "escalation_policy_id": "escalation_policy", "priority_id": "priority"}


def incident_of(short: Mapping[str, Any], default_service: str | None = None) -> dict[str, Any]:
    """An incident for PagerDuty: ids become references, `details` the body, `assignees` (ids of users) assignments.

    Everything else is passed on as it is. Raises PermanentError where the title or the service is missing.
    """
    incident = {name: value for name, value in short.items() if value is not None}
    if default_service and not incident.keys() & {"service", "service_id"}:
        incident["service_id"] = default_service
    for name, field in REFERENCES.items():
        if name in incident:
            incident[field] = reference(incident.pop(name), field)
    if "details" in incident:
        incident["body"] = {"type": "incident_body", "details": incident.pop("details")}
    if "assignees" in incident:
        incident["assignments"] = [{"assignee": reference(user, "user")} for user in incident.pop("assignees")]
    if missing := [name for name in ("title", "service") if not incident.get(name)]:
        raise PermanentError(f"an incident needs a title and a service_id; missing: {', '.join(missing)}")
    return incident


def reference(item_id: str, kind: str) -> dict[str, str]:
    """How one resource names another."""
    return {"id": item_id, "type": f"{kind}_reference"}
