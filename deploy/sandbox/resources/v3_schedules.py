"""Schedules of rotations (v3): the schedules themselves, their rotations and the rotations' events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.audit import note
from deploy.sandbox.crud import create, entity_of, got, matching, routes
from deploy.sandbox.fields import (
    Reading,
    each,
    refers_to,
    text,
    zone,
)
from deploy.sandbox.names import described, ids, reference
from deploy.sandbox.paging import classic
from deploy.sandbox.relations import members, policies_of
from deploy.sandbox.rendering import asked_span, asked_zone, shown_at
from deploy.sandbox.request import Reply, instant, invalid, not_found
from deploy.sandbox.resource import Resource, known
from deploy.sandbox.resources.schedules import guard_schedule
from deploy.sandbox.resources.v3_shapes import EVENT, PARTS, event
from deploy.sandbox.rotations import rotation_shifts
from deploy.sandbox.shifts import coverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

LIMITS = (100, 1000)


def _view(request: Request, schedule: Entity) -> Mapping[str, Any]:
    span = asked_span(request)
    final = {"final_schedule": _final(request, schedule)} if span and request.includes("final_schedule") else {}
    policies = policies_of(request, schedule["id"])
    return {
        "rotations": [_shown_rotation(one) for one in schedule.get("rotations", ())],
        "users": [reference("user", one) for one in members(schedule)],
        "escalation_policies": [reference("escalation_policy", one["id"]) for one in policies],
        **final,
    }


def _final(request: Request, schedule: Entity) -> dict[str, Any]:
    span, zone_name = asked_span(request, required=True), asked_zone(request, schedule["time_zone"])
    if span is None:
        return {}
    shifts = rotation_shifts(schedule, span)
    return {
        "type": "final_schedule",
        "rendered_coverage_percentage": coverage(shifts, span),
        "computed_shift_assignments": [
            {
                "type": "computed_shift_assignment",
                "start_time": shown_at(one.start, zone_name),
                "end_time": shown_at(one.end, zone_name),
                "member": {"type": "user_member", "user_id": one.user},
                "source": dict(one.source),
            }
            for one in shifts
        ],
    }


SCHEDULES = known(
    Resource(
        "v3_schedules",
        "schedule",
        type="schedule_v3",
        where="/v3/schedules",
        fields={
            "name": text(255, 1),
            "time_zone": zone,
            "description": text(1024),
            "teams": each(refers_to("team")),
        },
        required=("name", "time_zone"),
        defaults={"description": "", "teams": []},
        hidden=("overrides", "custom_shifts"),
        parts=PARTS,
        computed=_view,
        optional=lambda _: ("users",),
        unseen=("summary",),
        unique=("name",),
        filters={"team_ids": lambda _, schedule: ids(schedule.get("teams", ()))},
        guard=guard_schedule,
    )
)


def list_schedules(request: Request) -> dict[str, Any]:
    """References to the schedules, without what is in them."""
    found = list(matching(request, SCHEDULES))

    def shown(schedule: Entity) -> dict[str, Any]:
        return described(request.store, reference("schedule_v3", schedule["id"]), request.base)

    return page(request, "schedules", found, shown)


def page(request: Request, name: str, found: list[Entity], shown: Any) -> dict[str, Any]:
    """A page as v3 has it: 100 unless asked, 1,000 at most, and a total only on request."""
    made = classic(request, name, found, shown, limits=LIMITS)
    return {key: value for key, value in made.items() if key != "total" or value is not None}


def get_schedule(request: Request) -> dict[str, Any]:
    """The schedule; the id of a schedule of layers is refused with 400, as if it were no id at all."""
    if request.store.get("schedules", request.path["id"]):
        raise invalid("This schedule is not shift-based; use /schedules")
    return got(request, SCHEDULES)


def create_rotation(request: Request) -> Reply:
    """201 with a rotation that has no events yet."""
    schedule = entity_of(request, "v3_schedules")
    rotation: Entity = {"id": request.store.new_id(), "events": []}
    schedule.setdefault("rotations", []).append(rotation)
    noted(request, schedule)
    return Reply(201, {"rotation": _shown_rotation(rotation)})


def list_rotations(request: Request) -> dict[str, Any]:
    """A schedule's rotations."""
    return page(request, "rotations", entity_of(request, "v3_schedules").get("rotations", []), _shown_rotation)


def get_rotation(request: Request) -> dict[str, Any]:
    """One rotation."""
    return {"rotation": _shown_rotation(part(request, "rotations", "rotation_id"))}


def remove_rotation(request: Request) -> Reply:
    """204: the rotation and its events are gone."""
    rotation, schedule = part(request, "rotations", "rotation_id"), entity_of(request, "v3_schedules")
    schedule["rotations"] = [one for one in schedule["rotations"] if one is not rotation]
    noted(request, schedule)
    return Reply(204)


def create_event(request: Request) -> Reply:
    """201 with the event; one that would have begun in the past begins now."""
    rotation = part(request, "rotations", "rotation_id")
    kept = {"id": request.store.new_id(), **_read_event(request, request.wrapped("event"))}
    if instant(kept["effective_since"], "effective_since") < request.now:
        kept["effective_since"] = shown_at(request.now, "UTC")
    rotation["events"].append(kept)
    noted(request, entity_of(request, "v3_schedules"))
    return Reply(201, {"event": _shown_event(kept)})


def list_events(request: Request) -> dict[str, Any]:
    """A rotation's events."""
    return page(request, "events", part(request, "rotations", "rotation_id")["events"], _shown_event)


def get_event(request: Request) -> dict[str, Any]:
    """One event."""
    return {"event": _shown_event(_event(request))}


def update_event(request: Request) -> dict[str, Any]:
    """The event after the change: of one that is over nothing can change, of one that lasts only its end."""
    kept, asked = _event(request), request.wrapped("event")
    over = kept.get("effective_until") and instant(kept["effective_until"], "effective_until") <= request.now
    begun = instant(kept["effective_since"], "effective_since") <= request.now
    changed = {name for name in EVENT if name in asked and asked[name] != kept.get(name)}
    if over or (begun and changed - {"effective_until"}):
        raise invalid(
            "A past event can't be modified" if over else "Of an active event only effective_until can change"
        )
    kept.update(_read_event(request, {**kept, **asked}))
    noted(request, entity_of(request, "v3_schedules"))
    return {"event": _shown_event(kept)}


def remove_event(request: Request) -> Reply:
    """204: the event is gone."""
    kept, rotation = _event(request), part(request, "rotations", "rotation_id")
    rotation["events"] = [one for one in rotation["events"] if one is not kept]
    noted(request, entity_of(request, "v3_schedules"))
    return Reply(204)


def part(request: Request, kind: str, name: str) -> Entity:
    """A part of the schedule the path names; 404 if there is none."""
    return _found(entity_of(request, "v3_schedules").get(kind, ()), request.path[name])


def noted(request: Request, schedule: Entity) -> None:
    """Remember that a part of the schedule changed."""
    named = reference("schedule_v3", schedule["id"])
    note(request, "update", named, named)


def _found(parts: Iterable[Entity], name: str) -> Entity:
    found = next((one for one in parts if one["id"] == name), None)
    if found is None:
        raise not_found()
    return found


def _event(request: Request) -> Entity:
    return _found(part(request, "rotations", "rotation_id")["events"], request.path["event_id"])


def _read_event(request: Request, asked: Entity) -> Entity:
    reading = Reading(request.store)
    read: Entity = event(asked, "event", reading)
    if reading.problems:
        raise invalid(*reading.problems)
    return read


def _shown_rotation(rotation: Entity) -> dict[str, Any]:
    return {
        "id": rotation["id"],
        "type": "schedule_rotation",
        "events": [_shown_event(one) for one in rotation["events"]],
    }


def _shown_event(event: Entity) -> dict[str, Any]:
    return {"type": "schedule_event", "effective_until": None, **event}


_ROTATION = "/v3/schedules/{id}/rotations/{rotation_id}"
ROUTES: Routes = {
    **routes(SCHEDULES, ("update", "delete")),
    ("GET", "/v3/schedules"): list_schedules,
    ("POST", "/v3/schedules"): lambda request: Reply(201, create(request, SCHEDULES)),
    ("GET", "/v3/schedules/{id}"): get_schedule,
    ("GET", "/v3/schedules/{id}/rotations"): list_rotations,
    ("POST", "/v3/schedules/{id}/rotations"): create_rotation,
    ("GET", _ROTATION): get_rotation,
    ("DELETE", _ROTATION): remove_rotation,
    ("GET", f"{_ROTATION}/events"): list_events,
    ("POST", f"{_ROTATION}/events"): create_event,
    ("GET", f"{_ROTATION}/events/{{event_id}}"): get_event,
    ("PUT", f"{_ROTATION}/events/{{event_id}}"): update_event,
    ("DELETE", f"{_ROTATION}/events/{{event_id}}"): remove_event,
}
