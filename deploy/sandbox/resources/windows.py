"""Maintenance windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.audit import record
from deploy.sandbox.clock import timestamp
from deploy.sandbox.crud import delete, entity_of, matching, routes
from deploy.sandbox.fields import each, moment, refers_to, text
from deploy.sandbox.names import ids, reference, resolve
from deploy.sandbox.paging import classic
from deploy.sandbox.request import Reply, RestError, instant, invalid
from deploy.sandbox.resource import Resource, known, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

FILTERS = {
    "past": ("past",),
    "future": ("future",),
    "ongoing": ("ongoing",),
    "open": ("ongoing", "future"),
    "all": ("past", "ongoing", "future"),
}


def _team_ids(request: Request, window: Entity) -> list[str]:
    services = (resolve(request.store, one) or {} for one in window["services"])
    policies = (resolve(request.store, one.get("escalation_policy") or {}) or {} for one in services)
    return list(dict.fromkeys(team["id"] for policy in policies for team in policy.get("teams", ())))


def _view(request: Request, window: Entity) -> Mapping[str, Any]:
    return {"teams": [reference("team", one) for one in _team_ids(request, window)]}


def _verify(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:
    if instant(new["end_time"], "end_time") <= instant(new["start_time"], "start_time"):
        yield "End time must be after start time"
    if old is not None and when(old, request.now) == "past":
        yield "A maintenance window that has ended can't be changed"
    elif when(new, request.now) == "past":
        yield "End time must be in the future"
    if old is None:
        sender = request.sender()
        new["sequence_number"] = 1 + max((one["sequence_number"] for one in _numbered(request)), default=0)
        new.update({"created_by": reference("user", sender["id"])} if sender else {})


def _numbered(request: Request) -> Iterable[Entity]:
    return (one for one in request.store.all("maintenance_windows") if "sequence_number" in one)


WINDOWS = known(
    Resource(
        "maintenance_windows",
        "maintenance_window",
        fields={
            "start_time": moment,
            "end_time": moment,
            "description": text(),
            "services": each(refers_to("service"), 1),
        },
        required=("start_time", "end_time", "services"),
        defaults={"description": ""},
        computed=_view,
        includes={"teams": "teams", "services": "services", "users": "created_by"},
        search="description",
        filters={"team_ids": _team_ids, "service_ids": lambda _, window: ids(window["services"])},
        verify=_verify,
    )
)


def when(window: Entity, now: float) -> str:
    """past, ongoing or future."""
    if instant(window["end_time"], "end_time") <= now:
        return "past"
    return "ongoing" if instant(window["start_time"], "start_time") <= now else "future"


def list_windows(request: Request) -> dict[str, Any]:
    """The windows that `filter` lets through."""
    wanted = FILTERS.get(request.first("filter", "all"))
    if wanted is None:
        raise invalid(f"Filter must be one of {', '.join(FILTERS)}")
    found = [one for one in matching(request, WINDOWS) if when(one, request.now) in wanted]
    includes = request.every("include")
    return classic(request, "maintenance_windows", found, lambda one: show(request, WINDOWS, one, includes))


def remove_window(request: Request) -> Reply:
    """204: a window to come is gone, one that lasts is ended; one that has ended stays (405)."""
    window = entity_of(request, "maintenance_windows")
    state = when(window, request.now)
    if state == "past":
        raise RestError(405, 2000, "Method Not Allowed", "A maintenance window that has ended can't be deleted")
    if state == "future":
        return delete(request, WINDOWS)
    window["end_time"] = timestamp(request.now)
    record(request, "update", WINDOWS, window)
    return Reply(204)


ROUTES: Routes = {
    **routes(WINDOWS),
    ("GET", "/maintenance_windows"): list_windows,
    ("DELETE", "/maintenance_windows/{id}"): remove_window,
}
