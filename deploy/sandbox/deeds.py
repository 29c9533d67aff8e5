from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from deploy.sandbox.incidents import Incident
from deploy.sandbox.journal import Agent
from deploy.sandbox.oncall import on_call
from deploy.sandbox.timers import ESCALATE, drop
from deploy.sandbox.urgency import urgency_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy.sandbox.alerts import Alert
    from deploy.sandbox.store import Entity
    from deploy.sandbox.world import World

LONGEST_ANNOUNCED = 4000


class Deeds:
    """What people do to incidents besides acknowledging and resolving them; the REST API has checked it before."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made = itertools.count(1)

    def create(self, service: Entity, title: str, by: Agent, now: float, **given: Any) -> Incident:
        """An incident without an alert, assigned to the users named or else as the policy says."""
        world = self._world
        incident = Incident(world.incidents.next_number(), service["id"], title, by, now, now, now, by)
        incident.urgency = urgency_of(service, "", now)
        policy = service.get("escalation_policy")
        if policy:
            incident.policy_id = policy["id"]
        users = given.pop("users", ())
        for name, value in given.items():
            setattr(incident, name, value)
        channel = {"type": "web_trigger", "summary": title, "subject": title, "details": _readable(incident.details)}
        if users:
            incident.assigned_via = "direct_assignment"
        world.life.open(incident, None, now, {"channel": channel}, users)
        return incident

    def reassign(self, incident: Incident, users: Sequence[str], by: Agent, now: float) -> None:
        """Assign it to these users, past the policy. Whoever had acknowledged it no longer has."""
        life = self._world.life
        life.put_back(incident, by, now)
        drop(incident, ESCALATE)
        incident.assigned_via = "direct_assignment"
        life.escalation.assign(incident, users, "assign_log_entry", by, now)
        life.announcer.incident("incident.reassigned", incident, by, now)

    def escalate(self, incident: Incident, level: int, by: Agent, now: float) -> None:
        """Move it to this level of its policy."""
        self._world.life.put_back(incident, by, now)
        self._world.life.escalation.go_to(incident, level, by, now)

    def delegate(self, incident: Incident, policy_id: str, by: Agent, now: float) -> None:
        """Give it to another escalation policy, from its first level."""
        life = self._world.life
        life.put_back(incident, by, now)
        incident.policy_id = policy_id
        life.escalation.begin(incident, by, now, "delegate_log_entry")
        life.announcer.incident("incident.delegated", incident, by, now)

    def set_field(self, incident: Incident, name: str, value: str, by: Agent, now: float) -> None:
        """Change title, urgency, priority, service or type; what webhooks tell of that, they tell."""
        attribute = {"priority": "priority_id", "service": "service_id"}.get(name, name)
        old = getattr(incident, attribute)
        setattr(incident, attribute, value)
        incident.updated_at = now
        self._note_change(incident, name, value, old or None, by, now)
        if name == "urgency":
            drop(incident, ESCALATE)
            self._world.life.escalation.pend(incident, now)
        event_type = {
            "priority": "incident.priority_updated",
            "service": "incident.service_updated",
            "incident_type": "incident.incident_type.changed",
        }.get(name)
        if event_type:
            self._world.life.announcer.incident(event_type, incident, by, now)

    def set_bridge(self, incident: Incident, bridge: Mapping[str, Any], by: Agent, now: float) -> None:
        """Where people meet about it."""
        incident.conference_bridge = dict(bridge)
        incident.updated_at = now
        number = bridge.get("conference_number")
        data = {
            "conference_numbers": [{"label": "", "number": number}] if number else [],
            "conference_url": bridge.get("conference_url"),
            "type": "incident_conference_bridge",
        }
        self._world.life.announcer.about("incident.conference_bridge.updated", incident, by, now, data)

    def note(self, incident: Incident, content: str, by: Agent, now: float) -> Mapping[str, Any]:
        """Write a note on it."""
        note = {"id": self._id("QN"), "content": content, "at": now, "by": by}
        incident.notes = (*incident.notes, note)
        incident.updated_at = now
        more = {"channel": {"type": "note", "summary": content}, "note": content}
        self._world.journal.write(now, "annotate_log_entry", incident, by, more=more)
        data = {"id": note["id"], "content": content[:LONGEST_ANNOUNCED], "type": "incident_note"}
        data["trimmed"] = len(content) > LONGEST_ANNOUNCED
        self._world.life.announcer.about("incident.annotated", incident, by, now, data)
        return note

    def status_update(self, incident: Incident, said: Mapping[str, str], by: Agent, now: float) -> Mapping[str, Any]:
        """Tell its subscribers how it stands."""
        update = {"id": self._id("QS"), "at": now, "by": by, **said}
        incident.status_updates = (*incident.status_updates, update)
        incident.updated_at = now
        message = said["message"]
        data = {"id": update["id"], "message": message[:LONGEST_ANNOUNCED], "type": "incident_status_update"}
        data["trimmed"] = len(message) > LONGEST_ANNOUNCED
        self._world.life.announcer.about("incident.status_update_published", incident, by, now, data)
        return update

    def request_responders(
        self, incident: Incident, requester: str, message: str, targets: Sequence[tuple[str, str]], now: float
    ) -> Mapping[str, Any]:
        """Ask users, or whoever is on call first for a policy, to help."""
        by = Agent("user", requester, "website")
        asked = [self._target(kind, name, now) for kind, name in targets]
        request = {
            "id": self._id("QR"),
            "requester_id": requester,
            "at": now,
            "message": message,
            "targets": asked,
        }
        incident.responder_requests = (*incident.responder_requests, request)
        incident.updated_at = now
        for target in asked:
            for user in target["users"]:
                self._tell_responder(incident, target, user, message, by, now)
        return request

    def cancel_responders(
        self, incident: Incident, targets: Sequence[tuple[str, str]], now: float
    ) -> list[tuple[str, str, str]]:
        """Take requests back; the answer says for each what became of it."""
        return [(kind, name, self._cancel(incident, kind, name, now)) for kind, name in targets]

    def merge(self, target: Incident, sources: Sequence[Incident], by: Agent, now: float) -> None:
        """The sources' alerts move to the target, and the sources are resolved because of that."""
        for source in sources:
            moved, source.alerts = source.alerts, []
            for alert in moved:
                alert.incident = target
                target.alerts.append(alert)
            source.merged_into = target
            if source.is_open:
                channel = {"type": by.channel, "summary": f"Merged into {target.summary}"}
                self._world.life.resolve(source, by, now, {"channel": channel})
        target.updated_at = now
        # PagerDuty's list of log entries has none of its own for a merge.
        self._note_change(target, "merged_incidents", [source.id for source in sources], None, by, now)

    def move(self, alert: Alert, target: Incident, now: float) -> None:
        """The alert belongs to another incident from now on."""
        if alert.incident is not None:
            alert.incident.alerts.remove(alert)
            alert.incident.updated_at = now
        alert.incident = target
        target.alerts.append(alert)
        target.updated_at = now

    def close(self, alert: Alert, by: Agent, now: float) -> None:
        """Resolve one alert; the last one ends its incident."""
        self._world.incidents.close_alert(alert, now)
        incident = alert.incident
        if incident is not None and incident.is_open and not any(one.is_open for one in incident.alerts):
            self._world.life.resolve(incident, by, now)

    def _note_change(self, incident: Incident, name: str, value: Any, old: str | None, by: Agent, now: float) -> None:
        change = {"name": name, "value": value, "namespace": "incidents", "old_value": old}
        channel = {"type": by.channel, "changeset": {"application_fields": [change]}}
        kind = "urgency_change_log_entry" if name == "urgency" else "field_value_change_log_entry"
        self._world.journal.write(now, kind, incident, by, more={"channel": channel})

    def _cancel(self, incident: Incident, kind: str, name: str, now: float) -> str:
        for request in reversed(incident.responder_requests):
            for target in request["targets"]:
                if (target["type"], target["id"]) != (kind, name):
                    continue
                if target["state"] == "pending":
                    target["state"] = "user_cancelled"
                    incident.updated_at = now
                    return "cancelled"
                return "cancelled" if target["state"] == "user_cancelled" else str(target["state"])
        return "not_found"

    def _target(self, kind: str, name: str, now: float) -> dict[str, Any]:
        users = [name] if kind == "user" else on_call(self._world.store, name, 1, now)
        return {"type": kind, "id": name, "state": "pending", "users": users}

    def _tell_responder(
        self, incident: Incident, target: Mapping[str, Any], user: str, message: str, by: Agent, now: float
    ) -> None:
        names = self._world.names
        policy = names.to("escalation_policy", target["id"]) if target["type"] == "escalation_policy" else None
        data = {
            "user": names.to("user", user),
            "escalation_policy": policy,
            "message": message,
            "state": target["state"],
            "type": "incident_responder",
        }
        self._world.life.announcer.about("incident.responder.added", incident, by, now, data)

    def _id(self, prefix: str) -> str:
        return f"{prefix}{next(self._made):012d}"


def _readable(details: object) -> str:
    return details if isinstance(details, str) else "" if details is None else str(details)
