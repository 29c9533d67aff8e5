"""Event orchestrations, their documents of rules and their integrations, whose keys events may use."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from deploy.sandbox.audit import note
from deploy.sandbox.clock import timestamp
from deploy.sandbox.crud import entity_of, listed, routes
from deploy.sandbox.fields import Reading, each, fields, nullable, one_of, read_fields, refers_to, text
from deploy.sandbox.names import reference
from deploy.sandbox.request import Reply, invalid, not_found
from deploy.sandbox.resource import Resource, known
from deploy.sandbox.resources.integrations import new_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

PATHS = ("router", "unrouted", "global")
PATH = "/event_orchestrations/{id}"
SERVICE = "/event_orchestrations/services/{service_id}"


def new_routing_key(name: str) -> str:
    """A routing key of an orchestration: R and 31 letters or digits."""
    return f"R{new_key(name).upper()[:31]}"


def new_uuid(request: Request) -> str:
    """An id as orchestrations have them; the same ones in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, request.store.new_id()))


def _view(_: Request, orchestration: Entity) -> Mapping[str, Any]:
    router = orchestration.get("router") or {}
    rules = [rule for one in router.get("sets", ()) for rule in one.get("rules", ())]
    actions = [one.get("actions") or {} for one in (*rules, router.get("catch_all") or {})]
    return {
        "routes": len({one["route_to"] for one in actions if one.get("route_to", "unrouted") != "unrouted"}),
        "integrations": orchestration.get("integrations", []),
    }


def _is_list(request: Request) -> bool:
    return request.call.path == "/event_orchestrations" and request.call.method == "GET"


def _stamp(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:
    stamp(request, new)
    if old is None:
        new["id"] = new_uuid(request)
        new["integrations"] = [_integration(request, f"{new['name']} Default Integration")]
    return ()


def stamp(request: Request, one: Entity) -> None:
    """Note when and by whom something was made or changed, and that it is another version now."""
    sender = request.sender()
    by = reference("user", sender["id"]) if sender else None
    if "created_at" not in one:
        one.update({"created_at": timestamp(request.now), **({"created_by": by} if by else {})})
    one.update(updated_at=timestamp(request.now), version=new_key(request.store.new_id()))
    one.update({"updated_by": by} if by else {})


def _integration(request: Request, label: str) -> Entity:
    name = new_uuid(request)
    return {"id": name, "label": label, "parameters": {"routing_key": new_routing_key(name), "type": "global"}}


def _doors(request: Request, old: Entity | None, new: Entity | None) -> None:
    """Events may use the keys of an orchestration as long as there is one."""
    for one in (old or {}).get("integrations", ()):
        request.world.account.shut(one["parameters"]["routing_key"])
    if new is not None:
        request.world.account.open_orchestration(new)


DOOR = fields(
    {"id": text(least=1), "label": text(), "parameters": fields({"routing_key": text(32, 32)}, ("routing_key",))},
    ("id", "label", "parameters"),
)
ACTIONS = {"actions": fields({"route_to": text()})}
RULE = fields({**ACTIONS, "conditions": each(fields({"expression": text()}))}, ("actions",))
SETS = each(fields({"id": text(least=1), "rules": each(RULE)}, ("id", "rules")), 1)
DOCUMENT = fields({"sets": SETS, "catch_all": fields(ACTIONS)}, ("sets",))
ORCHESTRATIONS = known(
    Resource(
        "event_orchestrations",
        "orchestration",
        type="event_orchestration",
        fields={
            "name": text(255, 1),
            "description": nullable(text()),
            "team": nullable(refers_to("team", typed=False)),
        },
        required=("name",),
        defaults={"description": "", "team": None},
        hidden=(*PATHS, "cache_variables"),
        parts={
            "integrations": each(DOOR),
            "cache_variables": each(fields({"id": text(least=1)}, ("id",))),
            **dict.fromkeys(PATHS, nullable(DOCUMENT)),
        },
        computed=_view,
        optional=lambda request: ("integrations",) if _is_list(request) else (),
        unseen=("type", "summary", "html_url"),
        verify=_stamp,
        changed=_doors,
    )
)


def list_orchestrations(request: Request) -> dict[str, Any]:
    """The page of orchestrations that is asked for; their integrations are not in it."""
    page = listed(request, ORCHESTRATIONS)
    return {"orchestrations": page.pop("event_orchestrations"), **page}


def list_integrations(request: Request) -> dict[str, Any]:
    """An orchestration's integrations."""
    found = entity_of(request, "event_orchestrations").get("integrations", [])
    return {"integrations": found, "total": len(found)}


def create_integration(request: Request) -> Reply:
    """201 with the integration, whose key events may use at once."""
    orchestration, label = entity_of(request, "event_orchestrations"), _label(request)
    made = _integration(request, label)
    orchestration.setdefault("integrations", []).append(made)
    _changed(request, orchestration)
    return Reply(201, {"integration": made})


def get_integration(request: Request) -> dict[str, Any]:
    """One integration."""
    return {"integration": _found(entity_of(request, "event_orchestrations"), request.path["integration_id"])}


def update_integration(request: Request) -> dict[str, Any]:
    """The integration with its new label."""
    orchestration, label = entity_of(request, "event_orchestrations"), _label(request)
    found = _found(orchestration, request.path["integration_id"])
    found["label"] = label
    _changed(request, orchestration)
    return {"integration": found}


def remove_integration(request: Request) -> Reply:
    """204: events with its key are refused from now on."""
    orchestration = entity_of(request, "event_orchestrations")
    found = _found(orchestration, request.path["integration_id"])
    orchestration["integrations"].remove(found)
    request.world.account.shut(found["parameters"]["routing_key"])
    _changed(request, orchestration)
    return Reply(204)


def migrate_integration(request: Request) -> dict[str, Any]:
    """An integration with its key, moved here from another orchestration; the answer is what is here now."""
    target, asked = entity_of(request, "event_orchestrations"), request.body()
    reading = Reading(request.store)
    wanted = {"source_id": text(), "source_type": one_of("orchestration"), "integration_id": text()}
    asked = read_fields(asked, wanted, tuple(wanted), reading)
    if reading.problems:
        raise invalid(*reading.problems)
    source = request.store.get("event_orchestrations", asked["source_id"])
    if source is None:
        raise not_found()
    moved = _found(source, asked["integration_id"])
    source["integrations"].remove(moved)
    target.setdefault("integrations", []).append(moved)
    _changed(request, target)
    return list_integrations(request)


def get_path(kind: str, request: Request) -> dict[str, Any]:
    """A document of rules, whole."""
    return {"orchestration_path": _document(request, entity_of(request, "event_orchestrations"), kind)}


def put_path(kind: str, request: Request) -> dict[str, Any]:
    """The document of rules that replaces the one before it, whole; rules without an id get one."""
    orchestration = entity_of(request, "event_orchestrations")
    orchestration[kind] = read_path(request, (orchestration.get(kind) or {}), routing=kind == "router")
    _changed(request, orchestration)
    return {"orchestration_path": _document(request, orchestration, kind)}


def read_path(request: Request, before: Entity, *, routing: bool = False) -> Entity:
    """The document that was sent, numbered and stamped."""
    asked = request.wrapped("orchestration_path")
    reading = Reading(request.store)
    DOCUMENT(asked, "orchestration_path", reading)
    if reading.problems:
        raise invalid(*reading.problems)
    document: Entity = {
        "sets": [
            {**one, "rules": [_rule(request, rule, routing=routing) for rule in one["rules"]]} for one in asked["sets"]
        ],
        "catch_all": asked.get("catch_all") or {"actions": {"route_to": "unrouted"} if routing else {}},
    }
    if routing:
        _check_route(request, document["catch_all"])
    document.update({key: before[key] for key in ("created_at", "created_by") if key in before})
    stamp(request, document)
    return document


def _rule(request: Request, rule: Entity, *, routing: bool) -> Entity:
    if routing:
        _check_route(request, rule)
    return {"id": new_key(request.store.new_id())[:8], "label": "", "conditions": [], **rule}


def _check_route(request: Request, rule: Entity) -> None:
    actions = rule.get("actions") or {}
    target = actions.get("route_to", "unrouted")
    if target != "unrouted" and "dynamic_route_to" not in actions and request.store.get("services", target) is None:
        raise invalid(f"route_to names the service {target}, which does not exist")


def _document(request: Request, orchestration: Entity, kind: str) -> dict[str, Any]:
    address = f"{request.base}/event_orchestrations/{orchestration['id']}"
    catch_all = {"actions": {"route_to": "unrouted"} if kind == "router" else {}}
    empty = {
        "sets": [{"id": "start", "rules": []}],
        "catch_all": catch_all,
        "version": orchestration.get("version", "1"),
    }
    stamps = {key: orchestration[key] for key in ("created_at", "created_by") if key in orchestration}
    parent = {"id": orchestration["id"], "type": "event_orchestration_reference", "self": address}
    kept = orchestration.get(kind) or {**empty, **stamps}
    return {"type": kind, "parent": parent, "self": f"{address}/{kind}", **kept}


def _found(orchestration: Entity, name: str) -> Entity:
    found: Entity | None = next((one for one in orchestration.get("integrations", ()) if one["id"] == name), None)
    if found is None:
        raise not_found()
    return found


def _label(request: Request) -> str:
    label = request.wrapped("integration").get("label")
    if not isinstance(label, str) or not label.strip():
        raise invalid("Label can't be blank")
    return label


def _changed(request: Request, orchestration: Entity) -> None:
    stamp(request, orchestration)
    request.world.account.open_orchestration(orchestration)
    named = reference("event_orchestration", orchestration["id"])
    note(request, "update", named, named)


ROUTES: Routes = {
    **routes(ORCHESTRATIONS),
    ("GET", "/event_orchestrations"): list_orchestrations,
    ("GET", f"{PATH}/integrations"): list_integrations,
    ("POST", f"{PATH}/integrations"): create_integration,
    ("POST", f"{PATH}/integrations/migration"): migrate_integration,
    ("GET", f"{PATH}/integrations/{{integration_id}}"): get_integration,
    ("PUT", f"{PATH}/integrations/{{integration_id}}"): update_integration,
    ("DELETE", f"{PATH}/integrations/{{integration_id}}"): remove_integration,
    **{("GET", f"{PATH}/{kind}"): partial(get_path, kind) for kind in PATHS},
    **{("PUT", f"{PATH}/{kind}"): partial(put_path, kind) for kind in PATHS},
}
