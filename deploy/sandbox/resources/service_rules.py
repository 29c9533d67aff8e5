"""Service orchestrations: a service's own document of rules, and whether it is active."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.audit import note
from deploy.sandbox.crud import entity_of
from deploy.sandbox.names import reference
from deploy.sandbox.request import invalid
from deploy.sandbox.resources.orchestrations import SERVICE, read_path

if TYPE_CHECKING:
    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity


def get_rules(request: Request) -> dict[str, Any]:
    """The service's document of rules, empty until one was put."""
    return {"orchestration_path": _document(request, entity_of(request, "services", "service_id"))}


def put_rules(request: Request) -> dict[str, Any]:
    """The document that replaces the one before it, whole."""
    service = entity_of(request, "services", "service_id")
    kept = service.get("orchestration") or {}
    service["orchestration"] = {**read_path(request, kept), "active": kept.get("active", False)}
    _noted(request, service)
    return {"orchestration_path": _document(request, service)}


def get_active(request: Request) -> dict[str, Any]:
    """Whether the rules are applied."""
    service = entity_of(request, "services", "service_id")
    return {"active": bool((service.get("orchestration") or {}).get("active"))}


def put_active(request: Request) -> dict[str, Any]:
    """Whether the rules are applied from now on."""
    service, active = entity_of(request, "services", "service_id"), request.body().get("active")
    if not isinstance(active, bool):
        raise invalid("Active must be true or false")
    service.setdefault("orchestration", {})["active"] = active
    _noted(request, service)
    return {"active": active}


def _document(request: Request, service: Entity) -> dict[str, Any]:
    kept = {key: value for key, value in (service.get("orchestration") or {}).items() if key != "active"}
    parent = {"id": service["id"], "type": "service_reference", "self": f"{request.base}/services/{service['id']}"}
    return {
        "type": "service",
        "parent": parent,
        "self": f"{request.base}/event_orchestrations/services/{service['id']}",
        "sets": [{"id": "start", "rules": []}],
        "catch_all": {"actions": {}},
        **kept,
    }


def _noted(request: Request, service: Entity) -> None:
    named = reference("service", service["id"])
    note(request, "update", named, named)


ROUTES: Routes = {
    ("GET", SERVICE): get_rules,
    ("PUT", SERVICE): put_rules,
    ("GET", f"{SERVICE}/active"): get_active,
    ("PUT", f"{SERVICE}/active"): put_active,
}
