"""An account as JSON: the form of a file or of PUT /_sandbox/account, and the way between it and the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from deploy.sandbox.access import documents as access  # noqa: TC001 - pydantic reads the annotations
from deploy.sandbox.builtin import is_builtin
from deploy.sandbox.fields import Reading, read_fields, refers_to
from deploy.sandbox.quiet import Suppression  # noqa: TC001 - pydantic reads the annotation
from deploy.sandbox.resource import RESOURCES
from deploy.sandbox.webhooks.described import SubscriptionDocument  # noqa: TC001 - pydantic reads the annotation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.store import Entity, Store

EVENTS_V2 = "events_api_v2_inbound_integration"
MOST_NAMED = 20
Entities = list[dict[str, Any]]


class IntegrationDocument(BaseModel):
    """An integration in an account file; more fields are as the REST API shapes them."""

    model_config = ConfigDict(extra="allow")

    id: str = ""
    routing_key: str | None = Field(None, pattern=r"^[0-9A-Za-z]{32}$")
    type: str = EVENTS_V2


class ServiceDocument(BaseModel):
    """A service in an account file, with its integrations; more fields are as the REST API shapes them."""

    model_config = ConfigDict(extra="allow")

    id: str = ""
    name: str = Field(min_length=1)
    integrations: list[IntegrationDocument] = []


class AccountDocument(BaseModel):
    """An account file: services with their routing keys, the REST keys and apps that may call (none = any), and all else.

    Lists are in an order in which each names only what is listed before it.
    """

    model_config = ConfigDict(extra="forbid")

    abilities: list[str] | None = None
    licenses: Entities = []
    priorities: Entities = []
    vendors: Entities = []
    extension_schemas: Entities = []
    users: Entities = []
    contact_methods: Entities = []
    notification_rules: Entities = []
    oncall_handoff_notification_rules: Entities = []
    status_update_notification_rules: Entities = []
    teams: Entities = []
    schedules: Entities = []
    v3_schedules: Entities = []
    escalation_policies: Entities = []
    services: list[ServiceDocument] = []
    service_custom_fields: Entities = []
    incident_types: Entities = []
    incident_custom_fields: Entities = []
    incident_workflows: Entities = []
    incident_workflow_triggers: Entities = []
    business_services: Entities = []
    service_dependencies: Entities = []
    event_orchestrations: Entities = []
    alert_grouping_settings: Entities = []
    extensions: Entities = []
    tags: Entities = []
    maintenance_windows: Entities = []
    addons: Entities = []
    audit_records: Entities = []
    webhook_subscriptions: list[SubscriptionDocument] = []
    region: access.Region = "us"
    tokens: list[access.TokenText | access.TokenDocument] = []
    oauth_clients: list[access.OAuthClientDocument] = []
    suppressions: list[Suppression] = []
    webhook_incident_key: bool = False

    def lists(self) -> Iterable[tuple[str, Entities]]:
        """The collections given, except services."""
        given = ((name, getattr(self, name)) for name in type(self).model_fields if name not in OTHERWISE)
        return ((name, entities) for name, entities in given if entities)


OTHERWISE = (
    "services",
    "webhook_subscriptions",
    "region",
    "tokens",
    "oauth_clients",
    "abilities",
    "suppressions",
    "webhook_incident_key",
)


def problems(store: Store) -> list[str]:
    """What cannot be in an account, object by object: fields that are missing or wrong, and names of nothing."""
    found: list[str] = []
    for kind in store.kinds():
        resource = RESOURCES.get(kind)
        if resource is None:
            continue
        required = [name for name in resource.required if (kind, name) != ("services", "escalation_policy")]
        for entity in store.all(kind):
            reading = Reading(store)
            read_fields(entity, {**resource.fields, **resource.parts}, required, reading)
            if resource.owner:
                refers_to(resource.owner)(entity.get(resource.owner), resource.owner, reading)
            found += [f"{kind}, {entity['id']}: {problem}" for problem in reading.problems]
            if len(found) > MOST_NAMED:
                return found
    return found


def number_parts(store: Store) -> None:
    """Give the rules of policies and the layers of schedules that were listed without ids their own."""
    for kind, name in (("escalation_policies", "escalation_rules"), ("schedules", "schedule_layers")):
        for entity in store.all(kind):
            entity[name] = [{**part, "id": part.get("id") or store.new_id()} for part in entity[name]]


def to_json(store: Store, names: Iterable[str]) -> Mapping[str, Any]:
    """The collections of these names that hold more than what every account has."""
    kept = {kind: [one for one in store.all(kind) if not is_builtin(kind, one)] for kind in names}
    return {kind: entities for kind, entities in kept.items() if entities}


def service_json(service: Entity, doors: Iterable[Entity]) -> Entity:
    """A service with its integrations as an account file has them."""
    integrations = [
        {("routing_key" if key == "integration_key" else key): value for key, value in door.items() if key != "service"}
        for door in doors
    ]
    return {**service, "integrations": integrations}
