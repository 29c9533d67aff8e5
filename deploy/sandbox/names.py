"""What the types of references stand for: the collection, the address and the field that is their summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from deploy.sandbox.store import Entity, Store

CONTACT_METHODS = tuple(f"{kind}_contact_method" for kind in ("email", "phone", "push_notification", "sms", "whatsapp"))
INTEGRATIONS = (
    "events_api_v2_inbound_integration",
    "generic_events_api_inbound_integration",
    "generic_email_inbound_integration",
    "event_transformer_api_inbound_integration",
    "aws_cloudwatch_inbound_integration",
    "nagios_inbound_integration",
    "pingdom_inbound_integration",
    "keynote_inbound_integration",
    "cloudkick_inbound_integration",
    "sql_monitor_inbound_integration",
)
SUFFIX = "_reference"


@dataclass(frozen=True, slots=True)
class Name:
    """Where objects of one type are kept and found. `owner` names the reference to what they belong to."""

    collection: str
    path: str
    title: str = "name"
    owner: str = ""

    def address(self, entity: Entity) -> str:
        """The path of this object."""
        path = self.path.format(owner=entity[self.owner]["id"]) if self.owner else self.path
        return f"{path}/{entity['id']}"

    def summary(self, entity: Entity) -> str:
        """The name people know it by."""
        return str(entity.get(self.title) or entity["id"])


def _top(collection: str, title: str = "name") -> Name:
    return Name(collection, f"/{collection}", title)


NAMES = {
    "user": _top("users"),
    "team": _top("teams"),
    "escalation_policy": _top("escalation_policies"),
    "schedule": _top("schedules"),
    "schedule_v3": Name("v3_schedules", "/v3/schedules"),
    "service": _top("services"),
    "business_service": _top("business_services"),
    "maintenance_window": _top("maintenance_windows", "description"),
    "tag": _top("tags", "label"),
    "extension": _top("extensions"),
    "extension_schema": _top("extension_schemas", "label"),
    "vendor": _top("vendors"),
    "priority": _top("priorities"),
    "license": _top("licenses"),
    "event_orchestration": _top("event_orchestrations"),
    "workflow": _top("incident_workflows"),
    "full_page_addon": _top("addons"),
    "incident_show_addon": _top("addons"),
    **{kind: Name("contact_methods", "/users/{owner}/contact_methods", "label", "user") for kind in CONTACT_METHODS},
    **{kind: Name("integrations", "/services/{owner}/integrations", "name", "service") for kind in INTEGRATIONS},
    "assignment_notification_rule": Name("notification_rules", "/users/{owner}/notification_rules", "id", "user"),
}


def reference(kind: str, entity_id: str) -> Entity:
    """A reference as the store keeps it: `reference("user", "PABC123")`."""
    return {"id": entity_id, "type": f"{kind}{SUFFIX}"}


def resolve(store: Store, found: Entity) -> Entity | None:
    """The object a reference stands for, or None."""
    name = NAMES.get(str(found.get("type")).removesuffix(SUFFIX))
    if name is None:
        return None
    # Both kinds of schedule go by the older type too: what named one before it became the other still finds it.
    older = store.get("v3_schedules", str(found.get("id"))) if name.collection == "schedules" else None
    return store.get(name.collection, str(found.get("id"))) or older


def ids(references: Collection[Entity]) -> set[str]:
    """The ids of references."""
    return {one["id"] for one in references}


def described(store: Store, found: Entity, base: str) -> Entity:
    """A reference as answers show it, with its summary and its addresses; those of what is gone are null."""
    kind = str(found["type"]).removesuffix(SUFFIX)
    entity = resolve(store, found)
    name = NAMES["schedule_v3" if kind == "schedule" and entity and "schedule_layers" not in entity else kind]
    address = base + name.address(entity) if entity else None
    summary = name.summary(entity) if entity else None
    return {"id": found["id"], "type": f"{kind}{SUFFIX}", "summary": summary, "self": address, "html_url": address}
