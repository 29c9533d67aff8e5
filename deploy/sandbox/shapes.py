from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.clock import timestamp
from deploy.sandbox.entry_shapes import entry_json

if TYPE_CHECKING:
    from collections.abc import Collection

    from deploy.sandbox.alerts import Alert
    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.references import References

NOTHING: Collection[str] = ()


def incident_json(names: References, incident: Incident, include: Collection[str] = NOTHING) -> dict[str, Any]:
    """An incident as the REST API shapes it. `include` has what is to be shown whole instead of named."""
    shown = {
        **names.incident(incident),
        "type": "incident",
        "incident_number": incident.number,
        "title": incident.title,
        "status": incident.status,
        # An incident with alerts has no key of its own: the dedup key is its alert's `alert_key`.
        "incident_key": incident.incident_key,
        "service": names.to("service", incident.service_id),
        "assigned_via": incident.assigned_via,
        "escalation_policy": names.to("escalation_policy", incident.policy_id),
        "teams": names.teams(incident),
        "urgency": incident.urgency,
        "incident_type": {"name": incident.incident_type},
        "first_trigger_log_entry": _first_entry(names, incident, include),
        "alert_counts": _counts(incident),
        "alert_grouping": _grouping(incident),
        "is_mergeable": bool(incident.alerts),
        "last_status_change_by": names.actor(incident.changed_by),
        "priority": names.to("priority", incident.priority_id) if incident.priority_id else None,
        "resolve_reason": _resolve_reason(names, incident),
        "incidents_responders": _responders(names, incident),
        "responder_requests": [responder_request_json(names, incident, one) for one in incident.responder_requests],
        **_times(incident),
        **_people(names, incident, include),
    }
    return _with_whole(names, incident, include, shown) if include else shown


def alert_json(names: References, alert: Alert, include: Collection[str] = NOTHING) -> dict[str, Any]:
    """An alert as the REST API shapes it."""
    trigger, incident, door = alert.trigger, alert.incident, alert.integration
    address = f"{names.base}/incidents/{incident.id if incident else ''}/alerts/{alert.id}"
    entry = None
    if alert.entry is not None:
        entry = entry_json(names, alert.entry) if "first_trigger_log_entries" in include else names.entry(alert.entry)
    shown_incident = None
    if incident is not None:
        shown_incident = incident_json(names, incident) if "incidents" in include else names.incident(incident)
    return {
        "id": alert.id,
        "type": "alert",
        "summary": alert.summary,
        "self": address,
        "html_url": f"{names.base}/#{incident.id if incident else ''}",
        "created_at": timestamp(alert.created_at),
        "status": alert.status,
        "alert_key": alert.dedup_key,
        "service": names.whole("service", door.service_id)
        if "services" in include
        else names.to("service", door.service_id),
        "first_trigger_log_entry": entry,
        "incident": shown_incident,
        "suppressed": incident is None,
        "severity": trigger.severity,
        "integration": names.integration(door.id, door.type, door.service_id),
        "body": {"type": "alert_body", "contexts": list(trigger.contexts), "details": trigger.details or {}},
    }


def responder_request_json(names: References, incident: Incident, request: Any) -> dict[str, Any]:
    """A responder request with its targets."""
    return {
        "id": request["id"],
        "incident": names.incident(incident),
        "requester": names.to("user", request["requester_id"]),
        "requested_at": timestamp(request["at"]),
        "message": request["message"],
        "responder_request_targets": [
            {
                "responder_request_target": {
                    "type": target["type"],
                    "id": target["id"],
                    "summary": names.to(target["type"], target["id"])["summary"],
                    "incidents_responders": [
                        _responder(names, incident, request, target, user) for user in target["users"]
                    ],
                }
            }
            for target in request["targets"]
        ],
    }


def _responder(names: References, incident: Incident, request: Any, target: Any, user: str) -> dict[str, Any]:
    return {
        "state": target["state"],
        "user": names.to("user", user),
        "incident": names.incident(incident),
        "updated_at": timestamp(request["at"]),
        "message": request["message"],
        "requester": names.to("user", request["requester_id"]),
        "requested_at": timestamp(request["at"]),
        "escalation_policy_requests": [],
    }


def _responders(names: References, incident: Incident) -> list[dict[str, Any]]:
    return [
        _responder(names, incident, request, target, user)
        for request in incident.responder_requests
        for target in request["targets"]
        for user in target["users"]
    ]


def _first_entry(names: References, incident: Incident, include: Collection[str]) -> dict[str, Any] | None:
    if not incident.entries:
        return None
    first = incident.entries[0]
    return entry_json(names, first) if "first_trigger_log_entries" in include else names.entry(first)


def _counts(incident: Incident) -> dict[str, int]:
    still = sum(alert.is_open for alert in incident.alerts)
    return {"all": len(incident.alerts), "triggered": still, "resolved": len(incident.alerts) - still}


def _grouping(incident: Incident) -> dict[str, Any] | None:
    if not incident.grouping or len(incident.alerts) < 2:
        return None
    return {
        "grouping_type": incident.grouping,
        "started_at": timestamp(incident.created_at),
        "ended_at": timestamp(incident.resolved_at) if incident.resolved_at else None,
        "alert_grouping_active": incident.is_open,
    }


def _resolve_reason(names: References, incident: Incident) -> dict[str, Any] | None:
    if incident.merged_into is None:
        return None
    return {"type": "merge_resolve_reason", "incident": names.incident(incident.merged_into)}


def _times(incident: Incident) -> dict[str, Any]:
    return {
        "created_at": timestamp(incident.created_at),
        "updated_at": timestamp(incident.updated_at),
        "last_status_change_at": timestamp(incident.changed_at),
        "resolved_at": timestamp(incident.resolved_at) if incident.resolved_at is not None else None,
        "pending_actions": [
            {"type": kind, "at": timestamp(timer.at)}
            for kind, timer in sorted(incident.timers.items(), key=lambda one: one[1].at)
        ],
    }


def _people(names: References, incident: Incident, include: Collection[str]) -> dict[str, Any]:
    whole_assignees = "assignees" in include or "users" in include
    whole_acknowledgers = "acknowledgers" in include or "users" in include
    return {
        "assignments": [
            {
                "at": timestamp(one.at),
                "assignee": names.whole("user", one.user_id) if whole_assignees else names.to("user", one.user_id),
            }
            for one in incident.assignments
        ],
        "acknowledgements": [
            {
                "at": timestamp(one.at),
                "acknowledger": names.whole("user", one.agent.id)
                if whole_acknowledgers and one.agent.type == "user"
                else names.actor(one.agent),
            }
            for one in incident.acknowledgements
        ],
    }


def _with_whole(
    names: References, incident: Incident, include: Collection[str], shown: dict[str, Any]
) -> dict[str, Any]:
    if "services" in include:
        shown["service"] = names.whole("service", incident.service_id)
    if "escalation_policies" in include:
        shown["escalation_policy"] = names.whole("escalation_policy", incident.policy_id)
    if "teams" in include:
        shown["teams"] = [names.whole("team", team["id"]) for team in shown["teams"]]
    if "priorities" in include and incident.priority_id:
        shown["priority"] = names.whole("priority", incident.priority_id)
    if "conference_bridge" in include:
        shown["conference_bridge"] = dict(incident.conference_bridge) if incident.conference_bridge else None
    by = incident.changed_by
    if ("agents" in include or "users" in include) and not (by.name or by.service_id):
        shown["last_status_change_by"] = names.whole(by.type, by.id)
    return shown
