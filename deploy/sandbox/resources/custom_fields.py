"""Custom fields of services with their values, incident types, and their custom fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.clock import timestamp
from deploy.sandbox.crud import create, delete, entity_of, got, routes, update
from deploy.sandbox.fields import anything, each, fields, flag, nullable, one_of, text
from deploy.sandbox.request import Reply, invalid, not_found
from deploy.sandbox.resource import OPENED, Resource, known, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

DATA = ("boolean", "integer", "float", "string", "datetime", "url")
SHAPES = ("single_value", "single_value_fixed", "multi_value", "multi_value_fixed")
FIXED = "_fixed"
OPTION = fields(
    {"id": text(), "data": fields({"data_type": one_of("string"), "value": text(200, 1)}, ("data_type", "value"))},
    ("data",),
)
FIELD: Mapping[str, Any] = {
    "name": text(50, 1),
    "display_name": text(50, 1),
    "description": nullable(text(1000)),
    "data_type": one_of(*DATA),
    "field_type": one_of(*SHAPES),
    "enabled": flag,
    "default_value": anything,
    "field_options": each(OPTION, 0, 10),
}
NEEDED = ("name", "display_name", "data_type", "field_type")
FOR_GOOD = ("name", "data_type", "field_type")


def _verify(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:
    changed = [name for name in FOR_GOOD if old is not None and old[name] != new[name]]
    yield from (f"{name.capitalize()} can't be changed" for name in changed)
    if new.get("field_options") and not new["field_type"].endswith(FIXED):
        yield "Field options are only for fields of fixed values"
    stamped = {"type": "field_option", "created_at": timestamp(request.now), "updated_at": timestamp(request.now)}
    new["field_options"] = [
        {**stamped, **one, "id": one.get("id") or request.store.new_id()} for one in new.get("field_options") or ()
    ]
    new["updated_at"] = timestamp(request.now)


def _options(_: Request, field: Entity) -> Mapping[str, Any]:
    stamps = {"type": "field_option", "created_at": OPENED, "updated_at": OPENED}
    return {"field_options": [{**stamps, **one} for one in field.get("field_options") or ()]}


def _own_type(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:
    if old is None:
        new["incident_type"] = _type(request)["id"]
    taken = (one for one in request.store.all("incident_custom_fields") if one["incident_type"] == new["incident_type"])
    if any(one["name"] == new["name"] and one["id"] != (old or {}).get("id") for one in taken):
        yield "Name has already been taken"
    yield from _verify(request, new, old)


SHOWN = {"description": "", "enabled": True, "field_options": [], "updated_at": OPENED}
SERVICE_FIELDS = known(
    Resource(
        "service_custom_fields",
        "field",
        where="/services/custom_fields",
        fields=FIELD,
        required=NEEDED,
        defaults=SHOWN,
        computed=_options,
        unique=("name",),
        verify=_verify,
        unseen=("html_url", "default_value"),
        most=15,
        stamped=True,
    )
)
INCIDENT_FIELDS = known(
    Resource(
        "incident_custom_fields",
        "field",
        fields=FIELD,
        required=NEEDED,
        defaults=SHOWN,
        computed=_options,
        parts={"incident_type": text(least=1)},
        verify=_own_type,
        unseen=("html_url",),
        stamped=True,
    )
)


def list_service_fields(request: Request) -> dict[str, Any]:
    """All custom fields of services; there are no pages of them."""
    return {"fields": [show(request, SERVICE_FIELDS, one) for one in request.store.all("service_custom_fields")]}


def get_values(request: Request) -> dict[str, Any]:
    """What a service says in each field; null where it says nothing."""
    kept = entity_of(request, "services").get("custom_field_values", {})
    named = ("id", "name", "display_name", "data_type", "field_type")
    found = request.store.all("service_custom_fields")
    return {
        "custom_fields": [
            {
                **{name: one[name] for name in named},
                "type": "field_value",
                "description": one.get("description") or "",
                "value": kept.get(one["id"]),
            }
            for one in found
        ]
    }


def put_values(request: Request) -> Reply:
    """201 with all values; fields that are not named keep theirs."""
    service, asked = entity_of(request, "services"), request.body().get("custom_fields")
    if not isinstance(asked, list) or not all(isinstance(one, dict) and "value" in one for one in asked):
        raise invalid("custom_fields must be a list of objects with a value and an id or a name")
    known_fields = {
        one[name]: one["id"] for one in request.store.all("service_custom_fields") for name in ("id", "name")
    }
    unknown = [one for one in asked if (one.get("id") or one.get("name")) not in known_fields]
    if unknown:
        raise invalid(*(f"Field {one.get('id') or one.get('name')} was not found" for one in unknown))
    kept = service.setdefault("custom_field_values", {})
    kept.update({known_fields[one.get("id") or one.get("name")]: one["value"] for one in asked})
    return Reply(201, get_values(request))


def _type(request: Request) -> Entity:
    """The incident type that the path names by its id or its name."""
    asked = request.path["type"]
    found = (one for one in request.store.all("incident_types") if asked in (one["id"], one["name"]))
    kept = next(found, None)
    if kept is None:
        raise not_found()
    return kept


def list_fields(request: Request) -> dict[str, Any]:
    """The custom fields of an incident type."""
    kept = _type(request)["id"]
    found = [one for one in request.store.all("incident_custom_fields") if one["incident_type"] == kept]
    options = () if request.includes("field_options") else ("field_options",)
    shown = [show(request, INCIDENT_FIELDS, one) for one in found]
    return {"fields": [{key: value for key, value in one.items() if key not in options} for one in shown]}


_FIELDS = "/incidents/types/{type}/custom_fields"
ROUTES: Routes = {
    **routes(SERVICE_FIELDS),
    ("GET", "/services/custom_fields"): list_service_fields,
    ("GET", "/services/{id}/custom_fields/values"): get_values,
    ("PUT", "/services/{id}/custom_fields/values"): put_values,
    ("GET", _FIELDS): list_fields,
    ("POST", _FIELDS): lambda request: Reply(201, create(request, INCIDENT_FIELDS)),
    ("GET", f"{_FIELDS}/{{id}}"): lambda request: got(request, INCIDENT_FIELDS),
    ("PUT", f"{_FIELDS}/{{id}}"): lambda request: update(request, INCIDENT_FIELDS),
    ("DELETE", f"{_FIELDS}/{{id}}"): lambda request: delete(request, INCIDENT_FIELDS),
}
