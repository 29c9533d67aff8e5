"""Incident types: what incidents there are, each below the base type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.clock import timestamp
from deploy.sandbox.crud import create, update
from deploy.sandbox.fields import flag, nullable, text
from deploy.sandbox.request import Reply, invalid, not_found
from deploy.sandbox.resource import OPENED, Resource, known, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

STATES = {"enabled": (True,), "disabled": (False,), "all": (True, False)}


def _view(_: Request, kept: Entity) -> Mapping[str, Any]:
    parent = kept.get("parent_type")
    return {"parent": {"id": parent, "type": "incident_type_reference"}} if parent else {}


def _verify(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:
    if old is not None and (new["name"], new.get("parent_type")) != (old["name"], old.get("parent_type")):
        yield "Name and parent_type can't be changed"
    if old is None:
        parent = _found(request, str(new["parent_type"]))
        if parent is None:
            yield f"Parent type {new['parent_type']} was not found"
        else:
            new["parent_type"] = parent["id"]
    new["updated_at"] = timestamp(request.now)


TYPES = known(
    Resource(
        "incident_types",
        "incident_type",
        where="/incidents/types",
        fields={
            "name": text(50, 1),
            "display_name": text(50, 1),
            "description": nullable(text(1000)),
            "enabled": flag,
            "parent_type": nullable(text(least=1)),
        },
        required=("name", "display_name"),
        defaults={"description": "", "enabled": True, "updated_at": OPENED},
        computed=_view,
        hidden=("parent_type",),
        unique=("name",),
        verify=_verify,
        unseen=("summary", "self", "html_url"),
        stamped=True,
    )
)


def list_types(request: Request) -> dict[str, Any]:
    """The types that `filter` lets through; there are no pages of them."""
    wanted = STATES.get(request.first("filter", "enabled"))
    if wanted is None:
        raise invalid(f"filter must be one of {', '.join(STATES)}")
    found = [one for one in request.store.all("incident_types") if one.get("enabled", True) in wanted]
    return {"incident_types": [show(request, TYPES, one) for one in found]}


def create_type(request: Request) -> Reply:
    """201 with the type, which is below another."""
    if not request.wrapped("incident_type").get("parent_type"):
        raise invalid("Parent type can't be blank")
    return Reply(201, create(request, TYPES))


def get_type(request: Request) -> dict[str, Any]:
    """One type, by its id or its name."""
    return {"incident_type": show(request, TYPES, _named(request))}


def update_type(request: Request) -> dict[str, Any]:
    """The type after the change."""
    request.path = {**request.path, "id": _named(request)["id"]}
    return update(request, TYPES)


def _named(request: Request) -> Entity:
    found = _found(request, request.path["id"])
    if found is None:
        raise not_found()
    return found


def _found(request: Request, name: str) -> Entity | None:
    return next((one for one in request.store.all("incident_types") if name in (one["id"], one["name"])), None)


ROUTES: Routes = {
    ("GET", "/incidents/types"): list_types,
    ("POST", "/incidents/types"): create_type,
    ("GET", "/incidents/types/{id}"): get_type,
    ("PUT", "/incidents/types/{id}"): update_type,
}
