from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from deploy.sandbox.names import NAMES, reference

if TYPE_CHECKING:
    from deploy.sandbox.request import Request
    from deploy.sandbox.resource import Resource
    from deploy.sandbox.store import Entity

KEPT = 100_000
BEARER = "Bearer "


def record(request: Request, action: str, resource: Resource, entity: Entity, old: Entity | None = None) -> None:
    """Remember who changed what, as the audit trail tells it."""
    touched = reference(resource.type_of(entity), entity["id"])
    note(request, action, entity[resource.owner] if resource.owner else touched, touched, _changes(entity, old))


def note(request: Request, action: str, root: Entity, touched: Entity, fields: list[Entity] | None = None) -> None:
    """Remember a change to `touched`, which is or belongs to `root`."""
    store = request.store
    store.add(
        "audit_records",
        {
            "execution_time": datetime.fromtimestamp(request.now, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "execution_context": {"request_id": None, "remote_address": None},
            "actors": [_actor(request)],
            "method": _method(request.token),
            "root_resource": _known(root),
            "action": action,
            "details": {"resource": _known(touched), "fields": fields or None, "references": None},
        },
    )
    if len(store.all("audit_records")) > KEPT:
        store.remove("audit_records", next(iter(store.all("audit_records")))["id"])


def _changes(entity: Entity, old: Entity | None) -> list[Entity]:
    if old is None:
        return []
    return [
        {"name": name, "before_value": _text(old.get(name)), "value": _text(entity.get(name))}
        for name in entity
        if entity.get(name) != old.get(name) and isinstance(entity.get(name), str | int)
    ]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _known(found: Entity) -> Entity:
    kind = str(found["type"]).removesuffix("_reference")
    return found if kind in NAMES else {"id": found["id"], "type": f"{kind}_reference"}


def _actor(request: Request) -> Entity:
    sender = request.call.header(b"from").lower()
    user = next((one for one in request.store.all("users") if one["email"].lower() == sender), None) if sender else None
    return reference("user", user["id"]) if user else {"id": f"P{request.token[-6:]}", "type": "api_key_reference"}


def _method(token: str) -> Entity:
    if token.startswith(BEARER):
        return {"type": "oauth", "description": None, "truncated_token": None}
    return {"type": "api_token", "description": None, "truncated_token": token[-4:]}
