"""The five handlers every kind of object has, made from its description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.audit import record
from deploy.sandbox.clock import timestamp
from deploy.sandbox.fields import Reading, read_fields
from deploy.sandbox.names import NAMES, reference
from deploy.sandbox.paging import classic
from deploy.sandbox.request import Reply, RestError, invalid, not_found
from deploy.sandbox.resource import show

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from deploy.sandbox.request import Handler, Request, Routes
    from deploy.sandbox.resource import Resource
    from deploy.sandbox.store import Entity

ALL = ("list", "get", "create", "update", "delete")


def routes(resource: Resource, verbs: Collection[str] = ALL, *, created: int = 201) -> Routes:
    """The paths of a resource; `verbs` are those it has, `created` the status that says something was made."""
    item = f"{resource.path}/{{id}}"
    made: dict[str, tuple[tuple[str, str], Handler]] = {
        "list": (("GET", resource.path), lambda request: listed(request, resource)),
        "create": (("POST", resource.path), lambda request: Reply(created, create(request, resource))),
        "get": (("GET", item), lambda request: got(request, resource)),
        "update": (("PUT", item), lambda request: update(request, resource)),
        "delete": (("DELETE", item), lambda request: delete(request, resource)),
    }
    return dict(made[verb] for verb in verbs)


def entity_of(request: Request, kind: str, name: str = "id") -> Entity:
    """The object that a part of the path names; 404 if there is none."""
    entity = request.store.get(kind, request.path[name])
    if entity is None:
        raise not_found()
    return entity


def owned(request: Request, resource: Resource) -> Entity:
    """The object the path names, which must belong to the owner the path names."""
    entity = entity_of(request, resource.kind)
    if resource.owner and entity[resource.owner]["id"] != _owner(request, resource)["id"]:
        raise not_found()
    return entity


def listed(request: Request, resource: Resource) -> dict[str, Any]:
    """The page of the list that the query asks for; what belongs to an owner comes all at once."""
    includes = request.every("include")
    if resource.owner:
        owner = _owner(request, resource)["id"]
        mine = [one for one in request.store.all(resource.kind) if one[resource.owner]["id"] == owner]
        return {resource.kind: [show(request, resource, one, includes) for one in mine]}
    found = ordered(request, list(matching(request, resource)))
    return classic(request, resource.kind, found, lambda one: show(request, resource, one, includes))


def got(request: Request, resource: Resource) -> dict[str, Any]:
    """The object of this id."""
    return {resource.noun: show(request, resource, owned(request, resource), request.every("include"))}


def create(request: Request, resource: Resource) -> dict[str, Any]:
    """The object made from the body."""
    new = _read(request, resource, {}, None)
    if resource.most and len(request.store.all(resource.kind)) >= resource.most:
        raise RestError(400, 2019, "Product limit reached", f"An account can have {resource.most} {resource.kind}")
    if resource.owner:
        new[resource.owner] = reference(resource.owner, _owner(request, resource)["id"])
    if resource.stamped:
        new["created_at"] = timestamp(request.now)
    kept = request.store.add(resource.kind, new)
    request.memory.clear()
    resource.changed(request, None, kept)
    record(request, "create", resource, kept)
    return {resource.noun: show(request, resource, kept, request.every("include"))}


def update(request: Request, resource: Resource) -> dict[str, Any]:
    """The object after the change; what the body leaves out stays."""
    entity = owned(request, resource)
    old = dict(entity)
    entity.update(_read(request, resource, old, old))
    request.memory.clear()
    resource.changed(request, old, entity)
    record(request, "update", resource, entity, old)
    return {resource.noun: show(request, resource, entity, request.every("include"))}


def delete(request: Request, resource: Resource) -> Reply:
    """204, unless something is in the way."""
    entity = owned(request, resource)
    resource.guard(request, entity)
    request.store.remove(resource.kind, entity["id"])
    request.memory.clear()
    resource.changed(request, entity, None)
    record(request, "delete", resource, entity)
    return Reply(204)


def matching(request: Request, resource: Resource) -> Iterable[Entity]:
    """The objects that `query` and the filters let through."""
    query = request.first("query").lower()
    asked = {name: {*request.every(name), *request.query.get(name, ())} for name in resource.filters}
    wanted = {name: ids for name, ids in asked.items() if ids}
    for entity in request.store.all(resource.kind):
        said = f"{entity.get(resource.search, '')}\n{entity.get('email', '')}"  # people are found by their address, too
        if query and query not in said.lower():
            continue
        if all(ids & set(resource.filters[name](request, entity)) for name, ids in wanted.items()):
            yield entity


def ordered(request: Request, found: list[Entity]) -> list[Entity]:
    """In the order that `sort_by` asks for; else as they were made."""
    field, _, way = request.first("sort_by").partition(":")
    if not field:
        return found
    return sorted(found, key=lambda one: str(one.get(field, "")).lower(), reverse=way == "desc")


def _owner(request: Request, resource: Resource) -> Entity:
    return entity_of(request, NAMES[resource.owner].collection, "owner")


def _read(request: Request, resource: Resource, base: Entity, old: Entity | None) -> Entity:
    body = request.wrapped(resource.noun)
    reading = Reading(request.store)
    kind = resource.type or resource.noun
    if "type" not in resource.fields and body.get("type", kind) not in (kind, f"{kind}_reference"):
        reading.refuse("type", f"must be {kind}")
    required = [name for name in resource.required if old is None or name in body]
    new = {**base, **read_fields(body, resource.fields, required, reading)}
    if not reading.problems:
        reading.problems += [*_taken(request, resource, new, old), *resource.verify(request, new, old)]
    if reading.problems:
        raise invalid(*reading.problems)
    return new


def _taken(request: Request, resource: Resource, new: Entity, old: Entity | None) -> Iterable[str]:
    for field in resource.unique:
        value = str(new.get(field, "")).lower()
        for one in request.store.all(resource.kind) if value else ():
            if one["id"] != (old or {}).get("id") and str(one.get(field, "")).lower() == value:
                yield f"{field.capitalize()} has already been taken"
