from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.acting import assignees, named, one_of, text_in
from deploy.sandbox.request import RestError, invalid

if TYPE_CHECKING:
    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.journal import Agent
    from deploy.sandbox.request import Request
    from deploy.sandbox.store import Entity

STATUSES = ("triggered", "acknowledged", "resolved")
URGENCIES = ("high", "low")


class Changes:
    """What a PUT asks of one incident: checked as a whole when it is made, carried out by `apply`."""

    def __init__(self, request: Request, incident: Incident, body: Entity, by: Agent) -> None:
        self._world = request.world
        self._now = request.now
        self._incident = incident
        self._by = by
        if body.get("type") not in ("incident", "incident_reference"):
            raise invalid("Type must be incident or incident_reference")
        self._status = one_of(body, "status", STATUSES)
        self._fields = self._read_fields(request, body)
        self._users = assignees(body, request)
        self._policy = named(body, "escalation_policy", "escalation_policies", request)
        self._level = body.get("escalation_level")
        self._bridge = body.get("conference_bridge")
        self._resolution = text_in(body, "resolution")
        self._check()

    def apply(self) -> None:
        """Carry it all out: first whose it is, last its status."""
        incident, by, now, deeds = self._incident, self._by, self._now, self._world.deeds
        for name, value in self._fields.items():
            deeds.set_field(incident, name, value, by, now)
        if self._bridge is not None:
            deeds.set_bridge(incident, self._bridge, by, now)
        if self._policy is not None:
            deeds.delegate(incident, self._policy, by, now)
        if self._users is not None:
            deeds.reassign(incident, self._users, by, now)
        if self._level is not None:
            deeds.escalate(incident, self._level, by, now)
        if self._status is not None:
            self._apply_status(self._status)
        if self._resolution is not None:
            deeds.note(incident, self._resolution, by, now)

    def _read_fields(self, request: Request, body: Entity) -> dict[str, str]:
        kind = body.get("incident_type")
        fields = {
            "title": text_in(body, "title"),
            "urgency": one_of(body, "urgency", URGENCIES),
            "service": named(body, "service", "services", request),
            "incident_type": kind.get("name") if isinstance(kind, dict) else None,
            "priority": "" if _takes_away(body) else named(body, "priority", "priorities", request),
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _check(self) -> None:
        incident = self._incident
        moves = self._users is not None or self._policy is not None or self._level is not None
        if not incident.is_open and (moves or self._status in ("acknowledged", "resolved")):
            raise RestError(400, 1001, "Incident Already Resolved", "Incident has already been resolved")
        if self._status == "acknowledged" and not moves and self._has_acknowledged():
            raise RestError(400, 1002, "Incident Already Acknowledged", "Incident has already been acknowledged")
        if self._bridge is not None and not isinstance(self._bridge, dict):
            raise invalid("Conference bridge must be an object")
        if self._level is not None:
            levels = self._world.life.escalation.levels(incident)
            if not isinstance(self._level, int) or not 1 <= self._level <= levels:
                raise invalid(f"Escalation level must be a whole number from 1 to {levels}")

    def _has_acknowledged(self) -> bool:
        return any(one.agent.id == self._by.id for one in self._incident.acknowledgements)

    def _apply_status(self, status: Any) -> None:
        incident, by, now, life = self._incident, self._by, self._now, self._world.life
        if status == "acknowledged":
            life.acknowledge(incident, by, now)
        elif status == "resolved":
            life.resolve(incident, by, now)
        elif not incident.is_open:
            life.reopen(incident, by, now)
        elif incident.status == "acknowledged":
            life.unacknowledge(incident, by, now)


def _takes_away(body: Entity) -> bool:
    return "priority" in body and body["priority"] in (None, "")
