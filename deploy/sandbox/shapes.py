from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.sandbox.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.account import Integration
    from deploy.sandbox.incidents import Incident


# What the sandbox has no notion of, as the API says so. `conference_bridge` comes only when included.
ABSENT: Mapping[str, object] = {
    # An incident with alerts has no key of its own: the dedup key is its alert's `alert_key`.
    "incident_key": None,
    "assignments": [],
    "assigned_via": "escalation_policy",
    "is_mergeable": True,
    "incident_type": {"name": "incident_default"},
    "teams": [],
    "pending_actions": [],
    "alert_grouping": None,
    "priority": None,
    "resolve_reason": None,
    "incidents_responders": [],
    "responder_requests": [],
    "urgency": "high",
}


def incident_json(incident: Incident, base: str) -> dict[str, object]:
    """An incident as the REST API shapes it; `base` is the address links begin with."""
    return {
        **_incident_reference(incident, base),
        "type": "incident",
        "incident_number": incident.number,
        "title": incident.trigger.summary,
        "status": incident.status,
        "service": service_reference(incident.integration, base),
        "escalation_policy": _reference(base, "escalation_policies", "PSANDBEP01", "escalation_policy", "Default"),
        "first_trigger_log_entry": _log_entry_reference(incident, base),
        "alert_counts": {"all": 1, "triggered": int(incident.is_open), "resolved": int(not incident.is_open)},
        **_times(incident),
        "acknowledgements": _acknowledgements(incident, base),
        "last_status_change_by": service_reference(incident.integration, base),
        **ABSENT,
    }


def alert_json(incident: Incident, base: str) -> dict[str, object]:
    """The incident's alert as the REST API shapes it."""
    trigger = incident.trigger
    return {
        "id": incident.alert_id,
        "type": "alert",
        "summary": incident.alert_summary,
        "self": f"{base}/incidents/{incident.id}/alerts/{incident.alert_id}",
        "html_url": f"{base}/#{incident.id}",
        "created_at": timestamp(incident.created_at),
        "status": "triggered" if incident.is_open else "resolved",
        "alert_key": incident.dedup_key,
        "service": service_reference(incident.integration, base),
        "first_trigger_log_entry": _log_entry_reference(incident, base),
        "incident": _incident_reference(incident, base),
        "suppressed": False,
        "severity": trigger.severity,
        "integration": _integration_reference(incident.integration, base),
        "body": {"type": "alert_body", "contexts": list(trigger.contexts), "details": trigger.details or {}},
    }


def service_reference(integration: Integration, base: str) -> dict[str, object]:
    """The service an integration belongs to."""
    return _reference(base, "services", integration.service_id, "service", integration.service_name)


def _reference(base: str, folder: str, name: str, kind: str, summary: str) -> dict[str, object]:
    address = f"{base}/{folder}/{name}"
    return {"id": name, "type": f"{kind}_reference", "summary": summary, "self": address, "html_url": address}


def _incident_reference(incident: Incident, base: str) -> dict[str, object]:
    summary = f"[#{incident.number}] {incident.trigger.summary}"
    return {**_reference(base, "incidents", incident.id, "incident", summary), "html_url": f"{base}/#{incident.id}"}


def _integration_reference(integration: Integration, base: str) -> dict[str, object]:
    folder = f"services/{integration.service_id}/integrations"
    return _reference(base, folder, integration.id, integration.type, "Events API")


def _log_entry_reference(incident: Incident, base: str) -> dict[str, object]:
    name = f"R{incident.number:013d}"
    return _reference(base, "log_entries", name, "trigger_log_entry", "Triggered through the API")


def _times(incident: Incident) -> dict[str, object]:
    changed = incident.resolved_at or incident.acknowledged_at or incident.created_at
    return {
        "created_at": timestamp(incident.created_at),
        "updated_at": timestamp(incident.updated_at),
        "last_status_change_at": timestamp(changed),
        "resolved_at": timestamp(incident.resolved_at) if incident.resolved_at is not None else None,
    }


def _acknowledgements(incident: Incident, base: str) -> list[dict[str, object]]:
    if incident.status != "acknowledged" or incident.acknowledged_at is None:
        return []
    by = service_reference(incident.integration, base)
    return [{"at": timestamp(incident.acknowledged_at), "acknowledger": by}]
