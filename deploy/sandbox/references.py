from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.names import NAMES, described, reference
from deploy.sandbox.resource import RESOURCES, show

if TYPE_CHECKING:
    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.journal import Agent, Entry
    from deploy.sandbox.request import Request
    from deploy.sandbox.store import Store

# The summaries PagerDuty gives to log entries, by their kind.
SUMMARIES = {
    "trigger_log_entry": "Triggered through the API",
    "acknowledge_log_entry": "Acknowledged",
    "unacknowledge_log_entry": "Unacknowledged",
    "resolve_log_entry": "Resolved",
    "assign_log_entry": "Assigned",
    "delegate_log_entry": "Delegated to another escalation policy",
    "escalate_log_entry": "Escalated",
    "repeat_escalation_path_log_entry": "The escalation path begins again",
    "exhaust_escalation_path_log_entry": "The escalation path is used up",
    "annotate_log_entry": "Note added",
    "snooze_log_entry": "Snoozed",
    "notify_log_entry": "Notified",
    "urgency_change_log_entry": "Urgency changed",
    "field_value_change_log_entry": "Field changed",
    "reach_trigger_limit_log_entry": "Trigger limit reached",
}


class References:
    """The ways answers and webhooks name things; `base` is the address links begin with.

    Only what answers a request can show objects whole.
    """

    def __init__(self, store: Store, base: str, request: Request | None = None) -> None:
        self.store = store
        self.base = base
        self._request = request

    @classmethod
    def of(cls, request: Request) -> References:
        """Names in the answer to this request."""
        return cls(request.store, request.base, request)

    def made(self, path: str, name: str, kind: str, summary: str | None) -> dict[str, Any]:
        """A reference to what is not in the account's store."""
        address = f"{self.base}/{path}/{name}"
        return {"id": name, "type": f"{kind}_reference", "summary": summary, "self": address, "html_url": address}

    def to(self, kind: str, name: str) -> dict[str, Any]:
        """A reference to an object of the account."""
        return described(self.store, reference(kind, name), self.base)

    def whole(self, kind: str, name: str) -> dict[str, Any]:
        """An object of the account as its own path shows it, or the reference where it is gone."""
        folder = NAMES[kind].collection
        entity = self.store.get(folder, name)
        if entity is None or self._request is None:
            return self.to(kind, name)
        resource = RESOURCES.get(folder)
        return show(self._request, resource, entity) if resource else {**self.to(kind, name), **entity, "type": kind}

    def incident(self, incident: Incident) -> dict[str, Any]:
        """A reference to an incident."""
        made = self.made("incidents", incident.id, "incident", incident.summary)
        return {**made, "html_url": f"{self.base}/#{incident.id}"}

    def integration(self, name: str, kind: str, service_id: str) -> dict[str, Any]:
        """A reference to an integration of a service, also to one that is gone."""
        if self.store.get("integrations", name) is not None:
            return self.to(kind, name)
        return self.made(f"services/{service_id}/integrations", name, kind, None)

    def entry(self, entry: Entry) -> dict[str, Any]:
        """A reference to a log entry."""
        made = self.made("log_entries", entry.id, entry.kind, SUMMARIES.get(entry.kind, entry.kind))
        return {**made, "self": f"{made['self']}?incident_id={entry.incident.id}"}

    def agent(self, agent: Agent) -> dict[str, Any]:
        """Who did it, exactly: a user, a service or an integration."""
        if agent.type == "user":
            return self.made("users", agent.id, "user", agent.name) if agent.name else self.to("user", agent.id)
        if agent.type == "service":
            return self.to("service", agent.id)
        return self.integration(agent.id, agent.type, agent.service_id)

    def actor(self, agent: Agent) -> dict[str, Any]:
        """Who did it, as incidents and log entries say it: what an integration did, its service did."""
        return self.to("service", agent.service_id) if agent.service_id else self.agent(agent)

    def teams(self, incident: Incident) -> list[dict[str, Any]]:
        """The teams an incident belongs to: those of its escalation policy."""
        return [self.to("team", name) for name in team_ids(self.store, incident)]


def team_ids(store: Store, incident: Incident) -> list[str]:
    """The ids of the teams an incident belongs to."""
    policy = store.get("escalation_policies", incident.policy_id) if incident.policy_id else None
    return [team["id"] for team in policy.get("teams") or ()] if policy else []
