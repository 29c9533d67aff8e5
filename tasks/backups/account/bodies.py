"""Documents of a backup as PagerDuty wants to be sent them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.backups.account.kinds import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    Document = Mapping[str, Any]

REDACTED: Final = "-- redacted --"
TYPES: Final = {
    "users": "user",
    "teams": "team",
    "notification_rules": "assignment_notification_rule",
    "schedules": "schedule",
    "escalation_policies": "escalation_policy",
    "services": "service",
    "extensions": "extension",
    "tags": "tag",
    "maintenance_windows": "maintenance_window",
    "incident_workflows": "incident_workflow",
    "incident_workflow_triggers": "workflow_trigger",
    "webhook_subscriptions": "webhook_subscription",
}
"""The `type` that objects are sent with, where documents do not keep one."""
OFF: Final = ("acknowledgement_timeout", "auto_resolve_timeout")
"""Null here is a value: the feature is off."""
FIXED: Final = {
    "incident_types": ("name", "parent_type"),
    "incident_custom_fields": ("name", "data_type", "field_type", "field_options"),
    "service_custom_fields": ("name", "data_type", "field_type"),
    "incident_workflow_triggers": ("workflow", "trigger_type"),
    "webhook_subscriptions": ("url", "custom_headers", "type"),
}
"""What can be said only when it is made."""
AUTO_PAUSE: Final = "auto_pause_notifications_parameters"
OWNER: Final = "owner"
ONE_OWNER: Final = "an account has one owner, who alone can change that"
FOR_GOOD: Final = ("schedule_layers",)
"""What can be ended and never taken away."""


def new_body(kind: str, document: Document) -> dict[str, Any]:
    """What makes it."""
    body = _sent(kind, document)
    for name in BY_NAME[kind].numbered:
        if name in body:
            body[name] = [{key: one for key, one in part.items() if key != "id"} for part in body[name]]
    if kind == "services":
        body["status"] = "active"  # PagerDuty takes no other of a new one
        if not (body.get(AUTO_PAUSE) or {}).get("enabled"):
            body.pop(AUTO_PAUSE, None)  # not every plan has what it would turn off
    if kind == "webhook_subscriptions":
        return _webhook(body)
    if kind == "incident_workflow_triggers":
        return _trigger(body)
    return body


def changed_body(kind: str, document: Document, before: Document, now: datetime) -> dict[str, Any]:
    """What makes of `before` the document. Parts keep their ids, in order, where there are as many of them."""
    fixed = fixed_fields(kind, document, before)
    body = {name: value for name, value in _sent(kind, document).items() if name not in fixed}
    if kind == "services" and "alert_grouping_parameters" not in body and before.get("alert_grouping_parameters"):
        body["alert_grouping_parameters"] = {"type": None}  # only then: whoever sends it leaves a setting it shares
    for name in BY_NAME[kind].sent:
        if name not in body and before.get(name) not in (None, []) and name in document and document[name] is None:
            body[name] = [] if isinstance(before[name], list) else "" if isinstance(before[name], str) else None
    for name in BY_NAME[kind].numbered:
        if name in body:
            body[name] = _numbered(name, body[name], before.get(name) or [], now)
    return _trigger(body) if kind == "incident_workflow_triggers" else body


def fixed_fields(kind: str, document: Document, before: Document) -> tuple[str, ...]:
    """What nobody can change of it."""
    owned = kind == "users" and OWNER in (document.get("role"), before.get("role"))
    return (*FIXED.get(kind, ()), *(("role",) if owned else ()))


def why_fixed(fields: list[str]) -> str:
    """Why these are not restored."""
    return ONE_OWNER if fields == ["role"] else f"PagerDuty lets nobody change {', '.join(fields)}"


def redacted_headers(document: Document) -> list[str]:
    """The names of headers whose values PagerDuty tells nobody."""
    return [one["name"] for one in document.get("custom_headers") or () if one.get("value") == REDACTED]


def hidden_values(headers: list[str]) -> str:
    """Why these are not restored."""
    return f"PagerDuty tells nobody the values of its headers {', '.join(headers)}: set them anew"


def _sent(kind: str, document: Document) -> dict[str, Any]:
    kept = {
        name: document[name]
        for name in BY_NAME[kind].sent
        if name in document and (document[name] is not None or name in OFF)
    }
    return {"type": TYPES[kind], **kept} if kind in TYPES else kept


def _numbered(name: str, parts: list[Document], before: list[Document], now: datetime) -> list[dict[str, Any]]:
    """The parts with the ids of those that are there: their own, or those in their places."""
    there = [str(one["id"]) for one in before if "id" in one]
    own = [str(one.get("id")) for one in parts]
    ids = own if set(own) <= set(there) else there
    bare = [{key: one for key, one in part.items() if key != "id"} for part in parts]
    made = [{"id": ids[place], **one} if place < len(ids) else one for place, one in enumerate(bare)]
    if name in FOR_GOOD:
        left = [one for one in before if one.get("id") not in [part.get("id") for part in made]]
        made = [*({**one, "end": one.get("end") or now.isoformat()} for one in left), *made]
    return made


def _trigger(body: dict[str, Any]) -> dict[str, Any]:
    """What it names by ids alone, as this part of the API has it."""
    named = {name: {"id": body[name]["id"]} for name in ("workflow",) if name in body}
    return {**body, **named, "services": [{"id": one["id"]} for one in body.get("services", ())]}


def _webhook(body: dict[str, Any]) -> dict[str, Any]:
    headers = [one for one in body.pop("custom_headers", ()) if one.get("value") != REDACTED]
    method = {
        "type": "http_delivery_method",
        "url": body.pop("url"),
        **({"custom_headers": headers} if headers else {}),
    }
    return {**body, "delivery_method": method}
