from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.acting import acting_user, assignees, incident_named, incident_of, named, one_of, text_in
from deploy.sandbox.changes import Changes
from deploy.sandbox.incidents import id_of
from deploy.sandbox.incidents_list import URGENCIES
from deploy.sandbox.quiet import in_maintenance
from deploy.sandbox.references import References
from deploy.sandbox.request import Reply, RestError, invalid, not_found
from deploy.sandbox.shapes import incident_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

MOST_CHANGED = 250
MOST_ALERTS = 1000
LONGEST_SNOOZE = 7 * 86_400
DUPLICATE = "Open incident with matching dedup key already exists on this service"
TOO_MANY = "At most 250 incidents can be changed at a time"


def get_incident(request: Request) -> dict[str, Any]:
    """The incident of this id or number."""
    name = request.path["id"]
    return _shown(request, incident_named(request, id_of(int(name)) if name.isdecimal() else name))


def create_incident(request: Request) -> Reply:
    """An incident without an alert; an open one with the same key on the same service stands in its way."""
    by, body = acting_user(request), request.wrapped("incident")
    title = text_in(body, "title", required=True)
    service_id = named(body, "service", "services", request)
    if body.get("type", "incident") not in ("incident", "incident_reference"):
        raise invalid("Type must be incident")
    if service_id is None or title is None:
        raise invalid("Service can't be blank")
    service = request.store.get("services", service_id)
    if service is None:
        raise not_found()
    if in_maintenance(request.store, service, request.now):
        raise invalid("Service is in maintenance: no incidents are created")
    given = _given(request, body)
    _check_key(request, service, given.get("incident_key"))
    incident = request.world.deeds.create(service, title, by, request.now, **given)
    return Reply(201, _shown(request, incident))


def change_incident(request: Request) -> dict[str, Any]:
    """One incident, changed."""
    by, incident = acting_user(request), incident_of(request)
    Changes(request, incident, request.wrapped("incident"), by).apply()
    return _shown(request, incident)


def change_incidents(request: Request) -> dict[str, Any]:
    """Up to 250 incidents, changed: all of them, or none if one of the changes is refused."""
    by, entries = acting_user(request), request.body().get("incidents")
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise invalid("The request body must be an object with the list 'incidents'")
    if len(entries) > MOST_CHANGED:
        raise RestError(413, 2001, "Request Entity Too Large", TOO_MANY)
    incidents = [request.world.incidents.get(str(one.get("id"))) for one in entries]
    if None in incidents:
        raise not_found()
    known = [one for one in incidents if one is not None]
    if len({one.number for one in known}) < len(known):
        raise invalid("An incident may be named only once")
    changes = [Changes(request, one, entry, by) for one, entry in zip(known, entries, strict=True)]
    for change in changes:
        change.apply()
    names = References.of(request)
    shown = [incident_json(names, one) for one in known]
    return {"incidents": shown, "limit": len(shown), "offset": 0, "more": False, "total": None}


def merge_incidents(request: Request) -> dict[str, Any]:
    """The target, with the alerts of the sources, which are resolved."""
    by, target = acting_user(request), incident_of(request)
    given = request.body().get("source_incidents")
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
        raise invalid("source_incidents must be a list of incident references")
    found = {str(one.get("id")): request.world.incidents.get(str(one.get("id"))) for one in given}
    if None in found.values():
        raise not_found()
    sources = [one for one in found.values() if one is not None and one is not target]
    if not target.is_open:
        raise invalid("The target incident must be open")
    if not all(source.alerts for source in sources):
        raise invalid("Only incidents that have alerts can be merged")
    if len(target.alerts) + sum(len(source.alerts) for source in sources) > MOST_ALERTS:
        raise invalid(f"An incident cannot have more than {MOST_ALERTS} alerts")
    request.world.deeds.merge(target, sources, by, request.now)
    return {"incident": References.of(request).incident(target)}


def snooze_incident(request: Request) -> Reply:
    """The incident, left alone for so many seconds."""
    by, incident = acting_user(request), incident_of(request)
    seconds = request.body().get("duration")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= LONGEST_SNOOZE:
        raise invalid(f"Duration must be a whole number of seconds from 1 to {LONGEST_SNOOZE}")
    if not incident.is_open:
        raise already_resolved()
    request.world.life.snooze(incident, seconds, by, request.now)
    return Reply(201, _shown(request, incident))


def already_resolved() -> RestError:
    """400, code 1001."""
    return RestError(400, 1001, "Incident Already Resolved", "Incident has already been resolved")


ROUTES: Routes = {
    ("POST", "/incidents"): create_incident,
    ("PUT", "/incidents"): change_incidents,
    ("GET", "/incidents/{id}"): get_incident,
    ("PUT", "/incidents/{id}"): change_incident,
    ("PUT", "/incidents/{id}/merge"): merge_incidents,
    ("POST", "/incidents/{id}/snooze"): snooze_incident,
}


def _shown(request: Request, incident: Incident) -> dict[str, Any]:
    include = frozenset(request.every("include"))
    return {"incident": incident_json(References.of(request), incident, include)}


def _given(request: Request, body: Entity) -> dict[str, Any]:
    users, policy = assignees(body, request), named(body, "escalation_policy", "escalation_policies", request)
    if users and policy:
        raise invalid("Only one of assignments and escalation_policy may be given")
    details = body.get("body")
    kind = body.get("incident_type")
    bridge = body.get("conference_bridge")
    given = {
        "users": users,
        "policy_id": policy,
        "urgency": one_of(body, "urgency", URGENCIES),
        "priority_id": named(body, "priority", "priorities", request),
        "incident_key": text_in(body, "incident_key"),
        "details": details.get("details") if isinstance(details, dict) else None,
        "incident_type": kind.get("name") if isinstance(kind, dict) else None,
        "conference_bridge": bridge if isinstance(bridge, dict) else None,
    }
    return {name: value for name, value in given.items() if value}


def _check_key(request: Request, service: Mapping[str, Any], key: str | None) -> None:
    if not key:
        return
    for one in request.world.incidents.open():
        if one.service_id == service["id"] and one.has_key(key):
            raise RestError(400, 2002, "Arguments Caused Error", DUPLICATE)
