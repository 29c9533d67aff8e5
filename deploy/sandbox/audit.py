from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from deploy.sandbox.names import NAMES, SUFFIX, reference, resolve

if TYPE_CHECKING:
    from deploy.sandbox.request import Request
    from deploy.sandbox.resource import Resource
    from deploy.sandbox.store import Entity, Store

KEPT = 100_000
BEARER = "Bearer "


def record(request: Request, action: str, resource: Resource, entity: Entity, old: Entity | None = None) -> None:
    """Remember who changed what, as the audit trail tells it."""
    touched = reference(resource.type_of(entity), entity["id"])
    root = entity[resource.owner] if resource.owner else touched
    note(request, action, root, touched, fields=_changes(entity, old), gone=None if resource.owner else entity)


def note(
    request: Request,
    action: str,
    root: Entity,
    touched: Entity,
    *,
    fields: list[Entity] | None = None,
    gone: Entity | None = None,
) -> None:
    """Remember a change to `touched`, which is or belongs to `root`; `gone` is what both name, if it may be gone."""
    store = request.store
    store.add(
        "audit_records",
        {
            "execution_time": datetime.fromtimestamp(request.now, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "execution_context": {"request_id": None, "remote_address": None},
            "actors": [_actor(request)],
            "method": _method(request.token),
            "root_resource": _named(store, root, gone),
            "action": action,
            "details": {"resource": _named(store, touched, gone), "fields": fields or None, "references": None},
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


def _named(store: Store, found: Entity, entity: Entity | None = None) -> Entity:
    """A reference with the name it has now: it may be gone when the record is read."""
    kind = str(found["type"]).removesuffix(SUFFIX)
    entity = entity or resolve(store, found)
    name = NAMES.get(kind)
    return {**found, "summary": name.summary(entity) if name and entity else found["id"]}


def _actor(request: Request) -> Entity:
    user = request.sender()
    if user is not None:
        return _named(request.store, reference("user", user["id"]), user)
    return {"id": f"P{request.token[-6:]}", "type": "api_key_reference", "summary": "API key"}


def _method(token: str) -> Entity:
    if token.startswith(BEARER):
        return {"type": "oauth", "description": None, "truncated_token": None}
    return {"type": "api_token", "description": None, "truncated_token": token[-4:]}
