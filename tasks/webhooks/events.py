"""PagerDuty's V3 events: those of incidents typed, all others tolerated. Fields that are not used are not looked at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.webhooks.models import IncidentStatus, Observation

STATUS_OF: Final[dict[str, IncidentStatus]] = {
    "incident.triggered": "triggered",
    "incident.acknowledged": "acknowledged",
    "incident.unacknowledged": "triggered",
    "incident.resolved": "resolved",
    "incident.reopened": "triggered",
}
KNOWN_OTHERS: Final = frozenset(
    """
    incident.action_invocation.created incident.action_invocation.terminated incident.action_invocation.updated incident.annotated
    incident.conference_bridge.updated incident.custom_field_values.updated incident.delegated incident.escalated
    incident.incident_type.changed incident.priority_updated incident.reassigned incident.responder.added incident.responder.replied
    incident.role.assigned incident.service_updated incident.status_update_published incident.task.completed incident.task.created
    incident.task.updated incident.workflow.started incident.workflow.completed
    service.created service.custom_field_values.updated service.deleted service.updated pagey.ping
    """.split()  # noqa: SIM905 - thirty lines else
)
MERGED: Final = "merge_resolve_reason"


class _Tolerant(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Reference(_Tolerant):
    """Something PagerDuty points at."""

    id: str = ""
    summary: str | None = None


class ResolveReason(_Tolerant):
    """Why an incident was resolved, where not simply by somebody."""

    type: str = ""
    incident: Reference | None = None


class IncidentData(_Tolerant):
    """An incident, as its own events carry it."""

    id: str
    type: Literal["incident"]
    html_url: str | None = None
    number: int = 0
    status: str = ""
    incident_key: str | None = None
    created_at: datetime | None = None
    service: Reference | None = None
    resolve_reason: ResolveReason | None = None


class IncidentEvent(_Tolerant):
    """An event of an incident that carries the incident itself."""

    id: str = ""
    event_type: str
    occurred_at: datetime
    agent: Reference | None = None
    data: IncidentData

    @property
    def merged_into(self) -> str:
        """The incident that has its alerts now, where it was resolved by being merged."""
        reason = self.data.resolve_reason
        return reason.incident.id if reason and reason.type == MERGED and reason.incident else ""

    def observation(self) -> Observation:
        """What it says of its incident. What is no change of status says only that there is an incident."""
        data = self.data
        opened = milliseconds_of(data.created_at or self.occurred_at)
        status = STATUS_OF.get(self.event_type)
        return Observation(
            incident_id=data.id,
            keys=(data.incident_key,) if data.incident_key else (),
            status=status or "triggered",
            at=milliseconds_of(self.occurred_at) if status else opened,
            number=data.number,
            opened_at=opened,
            html_url=data.html_url or "",
            who=name_of(self.agent) if status else "",
            service_id=data.service.id if data.service else "",
            merged_into=self.merged_into,
        )


class Unreadable(BaseModel):
    """A document that is no event, or one of an incident without what such an event has."""

    why: str = Field(description="What is wrong with it.")


def read_event(document: Any) -> IncidentEvent | str | Unreadable:
    """The event in a document: an incident's whole, of any other its type alone, or why there is none."""
    event = document.get("event") if isinstance(document, dict) else None
    kind = event.get("event_type") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(kind, str):
        return Unreadable(why="it has no 'event' with an 'event_type'")
    data = event.get("data")
    if not kind.startswith("incident.") or not isinstance(data, dict) or data.get("type") != "incident":
        return Unreadable(why=f"the data of {kind} is no incident") if kind in STATUS_OF else kind
    try:
        return IncidentEvent.model_validate(event)
    except ValidationError as error:
        places = ", ".join(sorted({".".join(map(str, fault["loc"])) for fault in error.errors()}))
        return Unreadable(why=f"it cannot be read: {places}") if kind in STATUS_OF else kind


def milliseconds_of(moment: datetime) -> int:
    """A moment as rows have it: milliseconds since the epoch."""
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def name_of(agent: Reference | None) -> str:
    """Who did it, as people say it."""
    return " ".join((agent.summary or "").split())[:200] if agent else ""
