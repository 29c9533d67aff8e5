"""Custom shifts and overrides of schedules of rotations (v3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.crud import entity_of
from deploy.sandbox.fields import Reading, read_fields
from deploy.sandbox.rendering import asked_span
from deploy.sandbox.request import Reply, instant, invalid
from deploy.sandbox.resources.v3_schedules import noted, page, part
from deploy.sandbox.resources.v3_shapes import OVERRIDE, SHIFT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deploy.sandbox.fields import Reader
    from deploy.sandbox.request import Handler, Request, Routes
    from deploy.sandbox.store import Entity


def _read(request: Request, asked: Any, readers: Mapping[str, Reader]) -> Entity:
    reading = Reading(request.store)
    required = [name for name in readers if not name.endswith("_id")]
    read = read_fields(asked if isinstance(asked, dict) else {}, readers, required, reading)
    if not reading.problems and instant(read["end_time"], "end_time") <= instant(read["start_time"], "start_time"):
        reading.refuse("end_time", "must be after start_time")
    if reading.problems:
        raise invalid(*reading.problems)
    return read


def _read_shift(request: Request, asked: Any) -> Entity:
    shift = _read(request, asked, SHIFT)
    for one in shift["assignments"]:
        one.update({"id": request.store.new_id(), "type": "shift_assignment"})
    return shift


def _read_override(request: Request, asked: Any) -> Entity:
    override = _read(request, asked, OVERRIDE)
    schedule = entity_of(request, "v3_schedules")
    places = {"rotation_id": "rotations", "custom_shift_id": "custom_shifts"}
    named = [name for name in places if override.get(name)]
    if len(named) != 1:
        raise invalid("Exactly one of rotation_id and custom_shift_id must be given")
    if override[named[0]] not in {one["id"] for one in schedule.get(places[named[0]], ())}:
        raise invalid(f"{named[0]} {override[named[0]]} was not found")
    return override


def _handlers(kind: str, noun: str, shape: str, read: Callable[[Request, Any], Entity]) -> Routes:
    def shown(one: Entity) -> dict[str, Any]:
        return {"type": shape, **one}

    def listed(request: Request) -> dict[str, Any]:
        schedule, span = entity_of(request, "v3_schedules"), asked_span(request, required=True)
        found = [
            one
            for one in schedule.get(kind, ())
            if span and instant(one["start_time"], "") < span.end and instant(one["end_time"], "") > span.start
        ]
        return page(request, kind, found, shown)

    def create(request: Request) -> Reply:
        schedule, asked = entity_of(request, "v3_schedules"), request.body().get(kind)
        if not isinstance(asked, list) or not asked:
            raise invalid(f"The request body must be an object with the list '{kind}'")
        made = [{"id": request.store.new_id(), **read(request, one)} for one in asked]
        schedule.setdefault(kind, []).extend(made)
        noted(request, schedule)
        return Reply(201, {kind: [shown(one) for one in made]})

    def get(request: Request) -> dict[str, Any]:
        return {noun: shown(part(request, kind, "part_id"))}

    def update(request: Request) -> dict[str, Any]:
        one, asked = part(request, kind, "part_id"), request.wrapped(noun)
        if instant(one["start_time"], "start_time") <= request.now and set(asked) - {"end_time", "type"}:
            raise invalid("It has begun: only end_time can change")
        one.update(read(request, {**one, **asked}))
        noted(request, entity_of(request, "v3_schedules"))
        return {noun: shown(one)}

    def remove(request: Request) -> Reply:
        one, schedule = part(request, kind, "part_id"), entity_of(request, "v3_schedules")
        schedule[kind] = [each for each in schedule[kind] if each is not one]
        noted(request, schedule)
        return Reply(204)

    path = f"/v3/schedules/{{id}}/{kind}"
    verbs: dict[tuple[str, str], Handler] = {
        ("GET", path): listed,
        ("POST", path): create,
        ("GET", f"{path}/{{part_id}}"): get,
        ("PUT", f"{path}/{{part_id}}"): update,
        ("DELETE", f"{path}/{{part_id}}"): remove,
    }
    return verbs


ROUTES: Routes = {
    **_handlers("custom_shifts", "custom_shift", "custom_shift", _read_shift),
    **_handlers("overrides", "override", "override_shift", _read_override),
}
