"""How services stand: what their incidents and their maintenance windows make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.sandbox.clock import timestamp
from deploy.sandbox.request import instant
from deploy.sandbox.shifts import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy.sandbox.request import Request
    from deploy.sandbox.store import Entity, Store

WORSE = {"active": 0, "warning": 1, "critical": 2}


def status_of(request: Request, service: Entity) -> str:
    """disabled, maintenance, critical (something is triggered), warning (something is acknowledged) or active."""
    if service.get("status") == "disabled":
        return "disabled"
    if in_maintenance(request.store, service["id"], request.now):
        return "maintenance"
    return request.once("statuses", lambda: _statuses(request)).get(service["id"], "active")


def last_incident_at(request: Request, service_id: str) -> str | None:
    """When the service's latest incident was opened, or None."""
    at = request.once("latest", lambda: _latest(request)).get(service_id)
    return None if at is None else timestamp(at)


def maintenance(store: Store) -> Mapping[str, Sequence[Span]]:
    """When services are in maintenance, by their ids."""
    return store.recall("maintenance", lambda: _maintenance(store))


def in_maintenance(store: Store, service_id: str, now: float) -> bool:
    """Whether a maintenance window of the service lasts."""
    return any(one.start <= now < one.end for one in maintenance(store).get(service_id, ()))


def assigned_to(request: Request, user_id: str) -> list[int]:
    """The numbers of the open incidents a user is assigned to."""
    return [
        one.number for one in request.world.incidents.open() if user_id in {each.user_id for each in one.assignments}
    ]


def _statuses(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in request.world.incidents.open():
        status = "warning" if one.status == "acknowledged" else "critical"
        found[one.service_id] = max(found.get(one.service_id, "active"), status, key=WORSE.__getitem__)
    return found


def _latest(request: Request) -> dict[str, float]:
    return {one.service_id: one.created_at for one in request.world.incidents.all()}


def _maintenance(store: Store) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for window in store.all("maintenance_windows"):
        span = Span(instant(window["start_time"], "start_time"), instant(window["end_time"], "end_time"))
        for service in window["services"]:
            found.setdefault(service["id"], []).append(span)
    return found
