from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from deploy.sandbox.call import Outcome
from deploy.sandbox.grouping import Groups, grouping_of
from deploy.sandbox.incidents import Incident
from deploy.sandbox.journal import Agent
from deploy.sandbox.quiet import in_maintenance, is_suppressed
from deploy.sandbox.urgency import urgency_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.account import Integration
    from deploy.sandbox.alerts import Alert, Trigger
    from deploy.sandbox.store import Entity
    from deploy.sandbox.world import World

# An incident's log names so many triggers; one entry more says that there were others.
MOST_TRIGGERS = 100


class Intake:
    """What events do, by PagerDuty's dedup rules: at most one open alert per routing key and dedup key.

    A trigger opens an alert, in an incident of its own or in one it is grouped into; acknowledge and resolve reach
    the incident through its alert.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._groups = Groups()

    def trigger(
        self,
        integration: Integration,
        dedup_key: str,
        trigger: Trigger,
        now: float,
        wishes: Mapping[str, Any] = MappingProxyType({}),
    ) -> Outcome:
        """Open an alert, or update the open one of these keys: the summary changes, the incident's title does not.

        `wishes` are what rules of event orchestrations want done with a new one.
        """
        world = self._world
        alert = world.incidents.open_alert(integration.routing_key, dedup_key)
        if alert is not None:
            return self._repeat(alert, trigger, now)
        service = world.store.get("services", integration.service_id) or {"id": integration.service_id}
        if in_maintenance(world.store, service, now):
            return Outcome.MAINTENANCE
        alert = world.incidents.new_alert(integration, dedup_key, trigger, now)
        if wishes.get("suppress") or is_suppressed(world.account.suppressions, service, trigger):
            return Outcome.SUPPRESSED
        if wishes.get("suspend"):
            world.schedule.at(now + wishes["suspend"], partial(self._wake, service, alert, wishes))
            return Outcome.SUSPENDED
        return self._admit(service, alert, now, wishes)

    def acknowledge(self, routing_key: str, dedup_key: str, now: float) -> Outcome:
        """Acknowledge the incident of the open alert of these keys; without one the event is dropped."""
        alert = self._world.incidents.open_alert(routing_key, dedup_key)
        if alert is None:
            return Outcome.DROPPED
        incident = alert.incident
        if incident is not None and incident.status == "triggered":
            self._world.life.acknowledge(incident, agent_of(alert.integration), now)
        return Outcome.ACKNOWLEDGED

    def resolve(self, routing_key: str, dedup_key: str, now: float) -> Outcome:
        """Resolve the open alert of these keys; without one the event is dropped. The last one ends its incident."""
        incidents = self._world.incidents
        alert = incidents.open_alert(routing_key, dedup_key)
        if alert is None:
            return Outcome.DROPPED
        incidents.close_alert(alert, now)
        incident = alert.incident
        if incident is not None and incident.is_open:
            incident.updated_at = now
            if not any(one.is_open for one in incident.alerts):
                self._world.life.resolve(incident, agent_of(alert.integration), now)
        return Outcome.RESOLVED

    def _wake(self, service: Entity, alert: Alert, wishes: Mapping[str, Any]) -> None:
        """A suspended alert that was not resolved meanwhile."""
        if alert.is_open:
            self._admit(service, alert, self._world.clock.now(), wishes)

    def _admit(self, service: Entity, alert: Alert, now: float, wishes: Mapping[str, Any]) -> Outcome:
        grouping = grouping_of(self._world.store, service)
        if grouping is None:
            self._open(service, alert, now, wishes)
            return Outcome.OPENED
        incident = self._groups.find(grouping, alert.trigger, now)
        if incident is None:
            self._groups.remember(grouping, self._open(service, alert, now, wishes), alert)
            return Outcome.OPENED
        self._world.life.join(incident, alert, agent_of(alert.integration), now)
        self._groups.remember(grouping, incident, alert)
        return Outcome.GROUPED

    def _open(self, service: Entity, alert: Alert, now: float, wishes: Mapping[str, Any]) -> Incident:
        by = agent_of(alert.integration)
        number = self._world.incidents.next_number()
        incident = Incident(number, service["id"], alert.summary, by, now, now, now, by)
        if "incident_urgency_rule" in service:
            incident.urgency = urgency_of(service, alert.trigger.severity, now)
        policy = service.get("escalation_policy") or {}
        incident.policy_id = wishes.get("escalation_policy") or policy.get("id") or incident.policy_id
        incident.priority_id = wishes.get("priority") or incident.priority_id
        self._world.life.open(incident, alert, now)
        if wishes.get("annotate"):
            self._world.deeds.note(incident, wishes["annotate"], by, now)
        return incident

    def _repeat(self, alert: Alert, trigger: Trigger, now: float) -> Outcome:
        alert.summary = trigger.summary
        alert.updated_at = now
        alert.triggers += 1
        incident = alert.incident
        if incident is not None:
            incident.updated_at = now
            if alert.triggers <= MOST_TRIGGERS:
                kind = "trigger_log_entry" if alert.triggers < MOST_TRIGGERS else "reach_trigger_limit_log_entry"
                self._world.journal.write(now, kind, incident, agent_of(alert.integration), alert, {"trigger": trigger})
        return Outcome.UPDATED


def agent_of(integration: Integration) -> Agent:
    """The agent of what an event does."""
    return Agent(integration.type, integration.id, "api", integration.service_id)
