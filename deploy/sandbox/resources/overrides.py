"""Overrides of schedules of layers: somebody else for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.audit import note
from deploy.sandbox.crud import entity_of
from deploy.sandbox.fields import Reading, read_fields
from deploy.sandbox.names import described, reference
from deploy.sandbox.rendering import asked_span, shown_at
from deploy.sandbox.request import Reply, instant, invalid, not_found
from deploy.sandbox.resources.schedules import OVERRIDE

if TYPE_CHECKING:
    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity


def list_overrides(request: Request) -> dict[str, Any]:
    """The overrides that touch the span from `since` to `until`."""
    schedule, span = entity_of(request, "schedules"), asked_span(request, required=True)
    found = [
        one
        for one in schedule.get("overrides", ())
        if span is None or (instant(one["start"], "start") < span.end and instant(one["end"], "end") > span.start)
    ]
    if "editable" in request.query:
        return {"overrides": [{"id": one["id"]} for one in found if instant(one["end"], "end") > request.now]}
    return {"overrides": [_shown(request, one) for one in found]}


def create_overrides(request: Request) -> Reply:
    """201 with each override or what is wrong with it; a single one (the older form) is answered by itself."""
    schedule, body = entity_of(request, "schedules"), request.body()
    if isinstance(body.get("override"), dict):
        made = _make(request, schedule, body["override"])
        if isinstance(made, list):
            raise invalid(*made)
        return Reply(201, {"override": _shown(request, made)})
    listed = body.get("overrides")
    if not isinstance(listed, list) or not listed:
        raise invalid("The request body must be an object with the list 'overrides'")
    results: list[Entity] = []
    for one in listed:
        made = _make(request, schedule, one if isinstance(one, dict) else {})
        refused = isinstance(made, list)
        results.append(
            {"status": 400, "errors": made, "override": one}
            if refused
            else {"status": 201, "override": _shown(request, made)}
        )
    return Reply(201, results)


def remove_override(request: Request) -> Reply:
    """204; one that lasts is ended (200), one that is over stays (400)."""
    schedule = entity_of(request, "schedules")
    override = next((one for one in schedule.get("overrides", ()) if one["id"] == request.path["override_id"]), None)
    if override is None:
        raise not_found()
    if instant(override["end"], "end") <= request.now:
        raise invalid("A past override can't be removed")
    _noted(request, "delete", schedule, override)
    if instant(override["start"], "start") < request.now:
        override["end"] = shown_at(request.now, schedule["time_zone"])
        return Reply(200)
    schedule["overrides"] = [one for one in schedule["overrides"] if one is not override]
    return Reply(204)


def _make(request: Request, schedule: Entity, asked: Entity) -> Any:
    reading = Reading(request.store)
    read = read_fields(asked, OVERRIDE, tuple(OVERRIDE), reading)
    if not reading.problems and instant(read["end"], "end") <= max(instant(read["start"], "start"), request.now):
        reading.refuse("end", "must be after start and in the future")
    if reading.problems:
        return reading.problems
    override = {"id": request.store.new_id(), **read}
    schedule.setdefault("overrides", []).append(override)
    _noted(request, "create", schedule, override)
    return override


def _noted(request: Request, action: str, schedule: Entity, override: Entity) -> None:
    root = reference("schedule", schedule["id"])
    note(request, action, root, {"id": override["id"], "type": "schedule_override_reference"})
    request.store.touch()


def _shown(request: Request, override: Entity) -> dict[str, Any]:
    return {**override, "user": described(request.store, override["user"], request.base)}


ROUTES: Routes = {
    ("GET", "/schedules/{id}/overrides"): list_overrides,
    ("POST", "/schedules/{id}/overrides"): create_overrides,
    ("DELETE", "/schedules/{id}/overrides/{override_id}"): remove_override,
}
