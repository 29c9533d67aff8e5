from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.clock import timestamp
from deploy.sandbox.happenings import Happening
from deploy.sandbox.references import team_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.journal import Agent
    from deploy.sandbox.world import World


class Announcer:
    """Tells what happens to incidents in the shape of webhooks, as long as anybody wants to hear it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def incident(
        self, event_type: str, incident: Incident, by: Agent, now: float, client: Mapping[str, str] | None = None
    ) -> None:
        """The incident itself: number, title, status and all."""
        if self._world.happenings:
            self._tell(event_type, incident, by, now, self._incident(incident), client)

    def about(self, event_type: str, incident: Incident, by: Agent, now: float, data: Mapping[str, Any]) -> None:
        """Something that belongs to the incident; the incident is only named."""
        if self._world.happenings:
            self._tell(event_type, incident, by, now, {"incident": self._world.names.incident(incident), **data})

    def _tell(
        self,
        event_type: str,
        incident: Incident,
        by: Agent,
        now: float,
        data: Mapping[str, Any],
        client: Mapping[str, str] | None = None,
    ) -> None:
        agent = self._world.names.agent(by)
        teams = tuple(team_ids(self._world.store, incident))
        happening = Happening(event_type, now, data, incident.id, incident.service_id, teams, agent, client)
        self._world.happenings.announce(happening)

    def _incident(self, incident: Incident) -> dict[str, Any]:
        names = self._world.names
        key = incident.dedup_key if self._world.account.webhook_incident_key else incident.incident_key
        bridge = incident.conference_bridge
        target = incident.merged_into
        priority = names.to("priority", incident.priority_id) if incident.priority_id else None
        return {
            **names.incident(incident),
            "type": "incident",
            "number": incident.number,
            "status": incident.status,
            "incident_key": key,
            "created_at": timestamp(incident.created_at),
            "title": incident.title,
            "incident_type": {"name": incident.incident_type},
            "service": names.to("service", incident.service_id),
            "assignees": [names.to("user", one.user_id) for one in incident.assignments],
            "escalation_policy": names.to("escalation_policy", incident.policy_id),
            "teams": names.teams(incident),
            "priority": priority,
            "urgency": incident.urgency,
            "conference_bridge": dict(bridge) if bridge else None,
            "resolve_reason": {"type": "merge_resolve_reason", "incident": names.incident(target)} if target else None,
        }
