from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.acting import acting_user, incident_named, incident_of, one_of
from deploy.sandbox.paging import classic
from deploy.sandbox.references import References
from deploy.sandbox.request import RestError, invalid, not_found
from deploy.sandbox.shapes import alert_json

if TYPE_CHECKING:
    from deploy.sandbox.alerts import Alert
    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.journal import Agent
    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

MOST_CHANGED = 250
MOST_ALERTS = 1000
STATUSES = ("triggered", "resolved")


def list_alerts(request: Request) -> dict[str, Any]:
    """One page of the incident's alerts that the filters let through."""
    statuses, keys = request.every("statuses"), request.query.get("alert_key")
    found = [
        alert
        for alert in incident_of(request).alerts
        if (not statuses or alert.status in statuses) and (not keys or alert.dedup_key in keys)
    ]
    name, _, direction = request.first("sort_by", "created_at").partition(":")
    if name not in ("created_at", "resolved_at") or direction not in ("", "asc", "desc"):
        raise invalid("sort_by must be created_at or resolved_at, with :asc or :desc")
    found.sort(key=lambda one: getattr(one, name) or 0.0, reverse=direction == "desc")
    names, include = References.of(request), frozenset(request.every("include"))
    return classic(request, "alerts", found, lambda one: alert_json(names, one, include))


def get_alert(request: Request) -> dict[str, Any]:
    """One alert of the incident."""
    return _shown(request, _alert(incident_of(request), request.path["alert_id"]))


def change_alert(request: Request) -> dict[str, Any]:
    """One alert, resolved or moved to another incident."""
    by, incident = acting_user(request), incident_of(request)
    alert = _alert(incident, request.path["alert_id"])
    body = request.wrapped("alert")
    _check(request, body)
    _apply(request, alert, body, by)
    return _shown(request, alert)


def change_alerts(request: Request) -> dict[str, Any]:
    """Up to 250 alerts of the incident: all of them, or none if one of the changes is refused."""
    by, incident = acting_user(request), incident_of(request)
    entries = request.body().get("alerts")
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise invalid("The request body must be an object with the list 'alerts'")
    if len(entries) > MOST_CHANGED:
        raise RestError(413, 2001, "Request Entity Too Large", "At most 250 alerts can be changed at a time")
    alerts = [_alert(incident, str(entry.get("id"))) for entry in entries]
    for entry in entries:
        _check(request, entry)
    for alert, entry in zip(alerts, entries, strict=True):
        _apply(request, alert, entry, by)
    names = References.of(request)
    shown = [alert_json(names, alert) for alert in alerts]
    return {"alerts": shown, "limit": len(shown), "offset": 0, "more": False, "total": None}


ROUTES: Routes = {
    ("GET", "/incidents/{id}/alerts"): list_alerts,
    ("PUT", "/incidents/{id}/alerts"): change_alerts,
    ("GET", "/incidents/{id}/alerts/{alert_id}"): get_alert,
    ("PUT", "/incidents/{id}/alerts/{alert_id}"): change_alert,
}


def _shown(request: Request, alert: Alert) -> dict[str, Any]:
    return {"alert": alert_json(References.of(request), alert)}


def _alert(incident: Incident, name: str) -> Alert:
    found = next((one for one in incident.alerts if one.id == name), None)
    if found is None:
        raise not_found()
    return found


def _check(request: Request, body: Entity) -> None:
    one_of(body, "status", STATUSES)
    target = body.get("incident")
    if target is None:
        return
    if not isinstance(target, dict):
        raise invalid("Incident must be an incident reference")
    incident = incident_named(request, str(target.get("id")))
    if not incident.is_open:
        raise invalid("Alerts can only be moved to an open incident")
    if len(incident.alerts) >= MOST_ALERTS:
        raise invalid(f"An incident cannot have more than {MOST_ALERTS} alerts")


def _apply(request: Request, alert: Alert, body: Entity, by: Agent) -> None:
    deeds, target = request.world.deeds, body.get("incident")
    if target is not None and (alert.incident is None or target["id"] != alert.incident.id):
        deeds.move(alert, incident_named(request, target["id"]), request.now)
    if body.get("status") == "resolved" and alert.is_open:
        deeds.close(alert, by, request.now)
