from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from deploy.sandbox.paging import classic
from deploy.sandbox.request import invalid, not_found
from deploy.sandbox.shapes import alert_json, incident_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.request import Request, Routes

DEFAULT_RANGE = timedelta(days=30).total_seconds()
LONGEST_RANGE = timedelta(days=184).total_seconds()


def list_incidents(request: Request) -> dict[str, Any]:
    """One page of the incidents the query asks for, oldest first."""
    return classic(request, "incidents", list(_matching(request)), lambda one: incident_json(one, request.base))


def get_incident(request: Request) -> dict[str, Any]:
    """The incident."""
    return {"incident": incident_json(_incident(request), request.base)}


def list_alerts(request: Request) -> dict[str, Any]:
    """The incident's one alert, if the filters let it through."""
    alert = alert_json(_incident(request), request.base)
    statuses, keys = request.every("statuses"), request.query.get("alert_key")
    fits = (not statuses or alert["status"] in statuses) and (not keys or alert["alert_key"] in keys)
    return classic(request, "alerts", [alert] if fits else [], lambda one: one)


ROUTES: Routes = {
    ("GET", "/incidents"): list_incidents,
    ("GET", "/incidents/{id}"): get_incident,
    ("GET", "/incidents/{id}/alerts"): list_alerts,
}


def _incident(request: Request) -> Incident:
    incident = request.world.incidents.get(request.path["id"])
    if incident is None:
        raise not_found()
    return incident


def _matching(request: Request) -> Iterator[Incident]:
    since, until = _range(request)
    statuses, services = request.every("statuses"), request.every("service_ids")
    urgencies = request.every("urgencies") or ("high",)
    candidates = list(request.world.incidents.all())
    if "incident_key" in request.query:
        key = request.first("incident_key")
        # Seen with the real one: an empty key answers with every open incident.
        candidates = [one for one in candidates if (one.dedup_key == key if key else one.is_open)]
    for one in candidates:
        if (
            since <= one.created_at <= until
            and (not statuses or one.status in statuses)
            and (not services or one.integration.service_id in services)
            and "high" in urgencies
        ):
            yield one


def _range(request: Request) -> tuple[float, float]:
    if request.first("date_range") == "all":
        return 0.0, float("inf")
    until = request.instant("until", request.now)
    since = request.instant("since", until - DEFAULT_RANGE)
    if until - since > LONGEST_RANGE:
        raise invalid("The date range must not be longer than 6 months")
    return since, until
