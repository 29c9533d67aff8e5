"""Schedules of layers."""

from __future__ import annotations

from datetime import time
from functools import partial
from typing import TYPE_CHECKING, Any

from deploy.sandbox.crud import entity_of, routes
from deploy.sandbox.fields import (
    Reading,
    each,
    fields,
    moment,
    nullable,
    one_of,
    read_fields,
    refers_to,
    text,
    whole,
    zone,
)
from deploy.sandbox.layers import layer_shifts, override_shifts, schedule_shifts
from deploy.sandbox.names import ids, reference
from deploy.sandbox.relations import policies_of, users_on
from deploy.sandbox.rendering import asked_span, asked_zone, next_turn, rendered
from deploy.sandbox.request import instant, invalid
from deploy.sandbox.resource import RESOURCES, Resource, known, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from deploy.sandbox.fields import Reader
    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.shifts import Shift, Span
    from deploy.sandbox.store import Entity

YEAR = 366 * 86_400
DAY = 86_400
WEEK = 7 * DAY
INCLUDES = ("schedule_layers", "overrides_subschedule", "final_schedule")


def _view(request: Request, schedule: Entity) -> Mapping[str, Any]:
    span, zone_name = asked_span(request), asked_zone(request, schedule["time_zone"])
    policies = policies_of(request, schedule["id"])
    asked = set(INCLUDES) & {*request.every("include")}
    user = request.first("include_next_oncall_for_user")
    return {
        "users": users_on(schedule),
        "escalation_policies": [reference("escalation_policy", one["id"]) for one in policies],
        **({"next_oncall_for_user": next_turn(request, schedule, user, zone_name)} if user else {}),
        **(_computed(request, schedule, span, zone_name) if not _is_list(request) or asked else {}),
    }


def _computed(request: Request, schedule: Entity, span: Span | None, zone_name: str) -> Mapping[str, Any]:
    """Layers with their entries, last layer first as the API lists them, and what they come to."""

    def entries(shifts: Callable[[Span], Sequence[Shift]]) -> dict[str, Any]:
        return rendered(request, zone_name, span, shifts)

    layers = reversed(schedule["schedule_layers"])
    return {
        "schedule_layers": [
            {**layer, "end": layer.get("end"), **entries(partial(layer_shifts, layer, schedule["time_zone"]))}
            for layer in layers
        ],
        "overrides_subschedule": {"name": "Overrides", **entries(partial(override_shifts, schedule))},
        "final_schedule": {"name": "Final Schedule", **entries(partial(schedule_shifts, schedule))},
    }


def _is_list(request: Request) -> bool:
    """Lists leave out what is computed, unless asked for; a single schedule shows it all."""
    return request.call.path == "/schedules" and request.call.method == "GET"


def _layers(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:
    """Number the layers. One that an update leaves out stays: a layer can be ended, and never removed."""
    named = {layer.get("id") for layer in new["schedule_layers"]}
    kept = [layer for layer in (old or {}).get("schedule_layers", ()) if layer["id"] not in named]
    numbered = [
        {**layer, "id": layer.get("id") or request.store.new_id(), "name": layer.get("name") or f"Layer {number}"}
        for number, layer in enumerate([*kept, *new["schedule_layers"]], 1)
    ]
    for layer in numbered:
        if layer.get("end") and instant(layer["end"], "end") < instant(layer["start"], "start"):
            yield "Schedule layers end must be after start"
        for restriction in layer.get("restrictions", ()):
            yield from _restriction_problems(restriction)
    new["schedule_layers"] = numbered


def _restriction_problems(restriction: Entity) -> Iterable[str]:
    try:
        time.fromisoformat(restriction["start_time_of_day"])
    except ValueError:
        yield "Restrictions start time of day must be a time like 09:00:00"
    if restriction["type"] == "weekly_restriction" and "start_day_of_week" not in restriction:
        yield "Restrictions start day of week can't be blank in a weekly restriction"
    if restriction["type"] == "daily_restriction" and restriction["duration_seconds"] > DAY:
        yield "Restrictions duration seconds must be at most a day in a daily restriction"


def guard_schedule(request: Request, schedule: Entity) -> None:
    """A schedule stays while an escalation policy turns to it."""
    policies = policies_of(request, schedule["id"])
    if policies:
        raise invalid(
            "Schedule can't be deleted if it's being used by escalation policies",
            *(f"It is used by the escalation policy {one['name']}" for one in policies),
        )


RESTRICTION = fields(
    {
        "type": one_of("daily_restriction", "weekly_restriction"),
        "duration_seconds": whole(1, WEEK),
        "start_time_of_day": text(8, 5),
        "start_day_of_week": whole(1, 7),
    },
    ("type", "duration_seconds", "start_time_of_day"),
)
LAYER = fields(
    {
        "id": text(),
        "name": nullable(text(255)),
        "start": moment,
        "end": nullable(moment),
        "rotation_virtual_start": moment,
        "rotation_turn_length_seconds": whole(1, YEAR),
        "users": each(fields({"user": refers_to("user")}, ("user",)), 1),
        "restrictions": each(RESTRICTION),
    },
    ("start", "rotation_virtual_start", "rotation_turn_length_seconds", "users"),
)
OVERRIDE: Mapping[str, Reader] = {"start": moment, "end": moment, "user": refers_to("user")}
SCHEDULES = known(
    Resource(
        "schedules",
        "schedule",
        fields={
            "name": text(255, 1),
            "description": nullable(text()),
            "time_zone": zone,
            "schedule_layers": each(LAYER, 1),
            "teams": each(refers_to("team")),
        },
        required=("time_zone", "schedule_layers"),
        defaults={"name": "", "description": None, "teams": []},
        hidden=("overrides",),
        parts={"overrides": each(fields({"id": text(), **OVERRIDE}, ("id", *OVERRIDE)))},
        computed=_view,
        optional=lambda request: INCLUDES if _is_list(request) else (),
        unique=("name",),
        filters={"team_ids": lambda _, schedule: ids(schedule.get("teams", ()))},
        verify=_layers,
        guard=guard_schedule,
    )
)


def preview(request: Request) -> dict[str, Any]:
    """What the schedule in the body would look like; nothing is kept."""
    asked_span(request, required=True)
    body = request.wrapped("schedule")
    reading = Reading(request.store)
    schedule = {"id": "preview", "name": "", **read_fields(body, SCHEDULES.fields, SCHEDULES.required, reading)}
    problems = reading.problems or [*_layers(request, schedule, None)]
    if problems:
        raise invalid(*problems)
    return {"schedule": show(request, SCHEDULES, schedule, INCLUDES)}


def list_users(request: Request) -> dict[str, Any]:
    """The users on call in a schedule at any time of the span; without one, everybody on it."""
    schedule, span = entity_of(request, "schedules"), asked_span(request)
    on = ids(users_on(schedule)) if span is None else {one.user for one in schedule_shifts(schedule, span)}
    found = [user for user in request.store.all("users") if user["id"] in on]
    return {"users": [show(request, RESOURCES["users"], one) for one in found]}


ROUTES: Routes = {
    **routes(SCHEDULES),
    ("POST", "/schedules/preview"): preview,
    ("GET", "/schedules/{id}/users"): list_users,
}
