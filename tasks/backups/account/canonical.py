"""An object of PagerDuty's as a backup keeps it: what an unchanged account shows the same every time, and nothing secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.backups.account.kinds import BY_NAME
from tasks.backups.items import Item

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX: Final = "_reference"
WHOLE_ACCOUNT: Final = f"account{SUFFIX}"
EVERYWHERE: Final = frozenset({"self", "html_url"})
OF_OBJECTS: Final = EVERYWHERE | {
    "summary", "created_at", "updated_at", "created_by", "updated_by", "version", "deleted_at",
}  # fmt: skip
FREE: Final = frozenset({"config", "actions", "inputs", "inline_steps_inputs", "custom_headers", "configuration"})
"""What people or other programs fill as they like: kept as it is."""


def item_of(kind: str, raw: Mapping[str, Any], item_id: str = "", **more: Any) -> Item:
    """The item of one object; `more` is what its path or its surroundings say of it."""
    return Item(kind, item_id or str(raw["id"]), document_of(kind, {**raw, **more}))


def document_of(kind: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of it."""
    known = BY_NAME[kind]
    left_out = {*OF_OBJECTS, *known.derived, "id", *(() if known.typed else ("type",))}
    mended = _MENDED.get(kind, dict)(raw)
    kept = {name: _tidy(name, value) for name, value in mended.items() if name not in left_out}
    for name in known.unordered:
        if isinstance(kept.get(name), list):
            kept[name] = sorted(kept[name], key=order_of)
    return kept


def order_of(value: Any) -> str:
    """A place for members of lists whose order means nothing."""
    return str(value["id"]) if isinstance(value, dict) and "id" in value else repr(value)


def reference_to(noun: str, item_id: str) -> dict[str, str]:
    """How documents name another object."""
    return {"id": item_id, "type": f"{noun}{SUFFIX}"}


def is_reference(value: Any) -> bool:
    """Whether this names another object."""
    return isinstance(value, dict) and isinstance(value.get("id"), str) and str(value.get("type")).endswith(SUFFIX)


def _tidy(name: str, value: Any) -> Any:
    if name in FREE:
        return value
    if isinstance(value, list):
        return [_tidy("", one) for one in value]
    if not isinstance(value, dict):
        return value
    if is_reference(value):
        return {"id": value["id"], "type": str(value["type"]).replace("technical_", "")}
    left_out = OF_OBJECTS if "id" in value else EVERYWHERE
    return {
        key: _tidy(key, one) for key, one in value.items() if key not in left_out and not key.startswith("rendered_")
    }


def _named(noun: str, value: Any) -> Any:
    """A reference that PagerDuty writes without a type, or as if it were whole."""
    return reference_to(noun, str(value["id"])) if isinstance(value, dict) and value.get("id") else None


def _service(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Its standing is the hour's, except that it is disabled; grouping that it shares with others is the setting's."""
    grouping = raw.get("alert_grouping_parameters") or {}
    own = grouping if grouping.get("type") and "id" not in grouping else None
    older = ("alert_grouping", "alert_grouping_timeout")  # the same in older words
    kept = {key: value for key, value in raw.items() if not (key in older and (grouping.get("type") or value is None))}
    return {
        **kept,
        "status": "disabled" if raw.get("status") == "disabled" else "active",
        "alert_grouping_parameters": own,
    }


def _with_team(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {**raw, "team": _named("team", raw.get("team"))}


def _dependency(raw: Mapping[str, Any]) -> dict[str, Any]:
    def end(value: Mapping[str, Any]) -> dict[str, str]:
        noun = "business_service" if str(value["type"]).startswith("business") else "service"
        return reference_to(noun, value["id"])

    return {name: end(raw[name]) for name in ("supporting_service", "dependent_service")}


def _schedule(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The layers in the order in which they are made: PagerDuty lists the last one first."""
    return {**raw, "schedule_layers": list(reversed(raw.get("schedule_layers") or []))}


def _webhook(raw: Mapping[str, Any]) -> dict[str, Any]:
    method = raw["delivery_method"]
    kept = {name: raw[name] for name in ("active", "description", "events", "filter", "oauth_client") if name in raw}
    if (raw.get("filter") or {}).get("type") == WHOLE_ACCOUNT:
        kept["filter"] = {"type": WHOLE_ACCOUNT}  # whichever account it is in
    return {**kept, "url": method["url"], "custom_headers": method.get("custom_headers") or []}


def _addon(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {**raw, "type": str(raw["type"]).removesuffix(SUFFIX)}


def _workflow(raw: Mapping[str, Any]) -> dict[str, Any]:
    steps = [{"id": one.get("id"), "name": one["name"], **_configured(one)} for one in raw.get("steps") or []]
    return {**_with_team(raw), "steps": steps}


def _configured(step: Mapping[str, Any]) -> dict[str, Any]:
    told = ("description", "outputs")
    given = {name: value for name, value in step["action_configuration"].items() if name not in told}
    return {"action_configuration": given}


def _trigger(raw: Mapping[str, Any]) -> dict[str, Any]:
    services = [_named("service", one) for one in raw.get("services") or []]
    return {**raw, "workflow": _named("workflow", raw.get("workflow")), "services": services}


def _incident_type(raw: Mapping[str, Any]) -> dict[str, Any]:
    parent = raw.get("parent") or {}
    return {**raw, "parent_type": parent.get("id")}


def _setting(raw: Mapping[str, Any]) -> dict[str, Any]:
    config = {name: value for name, value in raw["config"].items() if name != "recommended_time_window"}
    return {**raw, "config": config}


def _field(raw: Mapping[str, Any]) -> dict[str, Any]:
    options = [{"id": one.get("id"), "data": one["data"]} for one in raw.get("field_options") or []]
    return {**raw, "field_options": options}


_MENDED: Final = {
    "service_custom_fields": _field,
    "incident_custom_fields": _field,
    "services": _service,
    "business_services": _with_team,
    "event_orchestrations": _with_team,
    "service_dependencies": _dependency,
    "schedules": _schedule,
    "webhook_subscriptions": _webhook,
    "addons": _addon,
    "incident_workflows": _workflow,
    "incident_workflow_triggers": _trigger,
    "incident_types": _incident_type,
    "alert_grouping_settings": _setting,
}
