"""Cache variables of event orchestrations and of services: kept, and not evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.audit import note
from deploy.sandbox.crud import entity_of
from deploy.sandbox.fields import Reading, each, fields, flag, one_of, read_fields, text, whole
from deploy.sandbox.names import reference
from deploy.sandbox.request import Reply, invalid, not_found
from deploy.sandbox.resources.orchestrations import PATH, SERVICE, new_uuid, stamp

if TYPE_CHECKING:
    from deploy.sandbox.request import Handler, Request, Routes
    from deploy.sandbox.store import Entity

CONFIGURATION = fields(
    {
        "type": one_of("recent_value", "trigger_event_count", "external_data"),
        "source": text(),
        "regex": text(),
        "ttl_seconds": whole(1),
        "data_type": one_of("string", "number", "boolean"),
    },
    ("type",),
)
VARIABLE = {
    "name": text(255, 1),
    "disabled": flag,
    "conditions": each(fields({"expression": text()}, ("expression",))),
    "configuration": CONFIGURATION,
}


def _handlers(kind: str, noun: str, name: str, path: str) -> Routes:
    def kept(request: Request) -> list[Entity]:
        found: list[Entity] = entity_of(request, kind, name).setdefault("cache_variables", [])
        return found

    def found(request: Request) -> Entity:
        asked = request.path["cache_variable_id"]
        variable = next((one for one in kept(request) if one["id"] == asked), None)
        if variable is None:
            raise not_found()
        return variable

    def noted(request: Request) -> None:
        named = reference(noun, entity_of(request, kind, name)["id"])
        note(request, "update", named, named)

    def listed(request: Request) -> dict[str, Any]:
        return {"cache_variables": kept(request), "total": len(kept(request))}

    def create(request: Request) -> dict[str, Any]:
        variable = {"id": new_uuid(request), "disabled": False, "conditions": [], **_read(request, {})}
        _stamp(request, variable)
        kept(request).append(variable)
        noted(request)
        return {"cache_variable": variable}

    def get(request: Request) -> dict[str, Any]:
        return {"cache_variable": found(request)}

    def update(request: Request) -> dict[str, Any]:
        variable = found(request)
        variable.update(_read(request, variable))
        _stamp(request, variable)
        noted(request)
        return {"cache_variable": variable}

    def remove(request: Request) -> Reply:
        kept(request).remove(found(request))
        noted(request)
        return Reply(204)

    verbs: dict[tuple[str, str], Handler] = {
        ("GET", f"{path}/cache_variables"): listed,
        ("POST", f"{path}/cache_variables"): create,
        ("GET", f"{path}/cache_variables/{{cache_variable_id}}"): get,
        ("PUT", f"{path}/cache_variables/{{cache_variable_id}}"): update,
        ("DELETE", f"{path}/cache_variables/{{cache_variable_id}}"): remove,
    }
    return verbs


def _read(request: Request, before: Entity) -> Entity:
    reading = Reading(request.store)
    merged = {**before, **request.wrapped("cache_variable")}
    read = read_fields(merged, VARIABLE, ("name", "configuration"), reading)
    if reading.problems:
        raise invalid(*reading.problems)
    return read


def _stamp(request: Request, variable: Entity) -> None:
    stamp(request, variable)
    del variable["version"]


ROUTES: Routes = {
    **_handlers("event_orchestrations", "event_orchestration", "id", PATH),
    **_handlers("services", "service", "service_id", SERVICE),
}
