"""How one object of each kind is made, and how it is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.account.bodies import OWNER, changed_body, new_body
from tasks.backups.account.listings import TAGGED
from tasks.utils.error_handler import PermanentError
from tasks.utils.rest.collection import Collection
from tasks.utils.rest.errors import InvalidRequestError
from tasks.utils.rest.pages import items_of
from tasks.utils.rest.parameters import path_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.backups.items import Item
    from tasks.utils.rest.client import RestClient

    Document = Mapping[str, Any]

BELOW: Final = {
    # kind: the owner's field, the path with its id, the noun in bodies
    "contact_methods": ("user", "/users/{}/contact_methods", "contact_method"),
    "notification_rules": ("user", "/users/{}/notification_rules", "notification_rule"),
    "oncall_handoff_notification_rules": (
        "user",
        "/users/{}/oncall_handoff_notification_rules",
        "oncall_handoff_notification_rule",
    ),
    "status_update_notification_rules": (
        "user",
        "/users/{}/status_update_notification_rules",
        "status_update_notification_rule",
    ),
    "v3_rotations": ("schedule", "/v3/schedules/{}/rotations", "rotation"),
    "v3_custom_shifts": ("schedule", "/v3/schedules/{}/custom_shifts", "custom_shift"),
    "v3_overrides": ("schedule", "/v3/schedules/{}/overrides", "override"),
    "schedule_overrides": ("schedule", "/schedules/{}/overrides", "override"),
    "integrations": ("service", "/services/{}/integrations", "integration"),
    "incident_custom_fields": ("incident_type", "/incidents/types/{}/custom_fields", "field"),
    "orchestration_integrations": ("orchestration", "/event_orchestrations/{}/integrations", "integration"),
}
TOP: Final = {
    # kind: the path, the noun in bodies
    "users": ("/users", "user"),
    "teams": ("/teams", "team"),
    "schedules": ("/schedules", "schedule"),
    "v3_schedules": ("/v3/schedules", "schedule"),
    "escalation_policies": ("/escalation_policies", "escalation_policy"),
    "services": ("/services", "service"),
    "service_custom_fields": ("/services/custom_fields", "field"),
    "business_services": ("/business_services", "business_service"),
    "incident_types": ("/incidents/types", "incident_type"),
    "incident_workflows": ("/incident_workflows", "incident_workflow"),
    "incident_workflow_triggers": ("/incident_workflows/triggers", "trigger"),
    "event_orchestrations": ("/event_orchestrations", "orchestration"),
    "alert_grouping_settings": ("/alert_grouping_settings", "alert_grouping_setting"),
    "extensions": ("/extensions", "extension"),
    "addons": ("/addons", "addon"),
    "webhook_subscriptions": ("/webhook_subscriptions", "webhook_subscription"),
    "tags": ("/tags", "tag"),
    "maintenance_windows": ("/maintenance_windows", "maintenance_window"),
}
IN_LISTS: Final = ("v3_custom_shifts", "v3_overrides", "schedule_overrides")
"""What is made several at a time."""
REMADE: Final = ("schedule_overrides", "v3_rotations")
"""What cannot be changed."""


@dataclass(frozen=True)
class Writer:
    """Makes and changes objects of an account. Documents are in the account's own ids."""

    rest: RestClient

    def create(self, item: Item) -> dict[str, Any]:
        """What PagerDuty made. An error with `is_unclear`: it may have been made."""
        collection = self._collection(item)
        if item.kind in IN_LISTS:
            return self._create_in_list(item, collection)
        if item.kind == "v3_rotations":
            return collection.unwrapped(self.rest.caller.call("POST", collection.path))
        return self._created(item, collection)

    def finish(self, item: Item, new: str) -> None:
        """Say of what was just made what PagerDuty does not take of anything new."""
        if item.kind == "services" and item.document.get("status") == "disabled":
            body = {**new_body(item.kind, item.document), "status": "disabled"}
            self._collection(item).update(new, body)

    def _created(self, item: Item, collection: Collection) -> dict[str, Any]:
        body = new_body(item.kind, item.document)
        try:
            return collection.create(body)
        except InvalidRequestError:
            if item.kind != "users" or body.get("role") != OWNER:
                raise
        return collection.create({**body, "role": "admin"})  # an account has one owner, and it has one already

    def change(self, item: Item, before: Document) -> None:
        """Make what has the item's id the same as the item."""
        if item.kind in REMADE:
            raise PermanentError("PagerDuty lets nobody change one; remove it, and restore again")
        body = changed_body(item.kind, item.document, before, self.rest.now())
        self._collection(item).update(item.id, body)

    def put(self, item: Item) -> None:
        """Put in place what has no id of its own. Doing it twice does no harm."""
        _PUT[item.kind](self.rest, item.document)

    def depend(self, documents: list[Document]) -> None:
        """Add dependencies, many in one call."""
        self.rest.dependencies.add(documents)

    def _create_in_list(self, item: Item, collection: Collection) -> dict[str, Any]:
        many = item.kind.partition("_")[2]
        body = {many: [new_body(item.kind, item.document)]}
        answer = self.rest.caller.call("POST", collection.path, body=body)
        made = items_of(answer, "items" if item.kind == "schedule_overrides" else many)[0]
        if made.get("errors"):
            raise PermanentError("; ".join(map(str, made["errors"])))
        inner: dict[str, Any] = made.get("override", made)
        return inner

    def _collection(self, item: Item) -> Collection:
        caller = self.rest.caller
        if item.kind in TOP:
            return Collection(caller, *TOP[item.kind], "")
        if item.kind == "v3_events":
            path = path_of(item.document["schedule"]["id"], "rotations", item.document["rotation"]["id"], "events")
            return Collection(caller, f"/v3/schedules{path}", "event", "")
        if item.kind == "cache_variables":
            return Collection(caller, _variables_of(item.document["owner"]), "cache_variable", "")
        owner, path, noun = BELOW[item.kind]
        return Collection(caller, path.format(path_of(item.document[owner]["id"])[1:]), noun, "")


def _variables_of(owner: Document) -> str:
    below = ("services",) if owner["type"].startswith("service") else ()
    return f"/event_orchestrations{path_of(*below, owner['id'], 'cache_variables')}"


def _put_member(rest: RestClient, document: Document) -> None:
    rest.teams.add_member(document["team"]["id"], document["user"]["id"], document["role"])


def _put_dependency(rest: RestClient, document: Document) -> None:
    rest.dependencies.add([document])


def _put_rules(rest: RestClient, document: Document) -> None:
    rules = {"sets": document["sets"], "catch_all": document["catch_all"]}
    rest.orchestrations.replace_rules(document["orchestration"]["id"], document["part"], rules)


def _put_service_rules(rest: RestClient, document: Document) -> None:
    service_id = document["service"]["id"]
    rules = {"sets": document["sets"], "catch_all": document["catch_all"]}
    rest.orchestrations.replace_service_rules(service_id, rules)
    rest.orchestrations.activate(service_id, active=document["active"])


def _put_tags(rest: RestClient, document: Document) -> None:
    bearer = document["bearer"]
    kind = next(many for many, noun in TAGGED.items() if bearer["type"] == f"{noun}_reference")
    rest.tags.change(kind, bearer["id"], add=document["labels"])  # type: ignore[arg-type]


def _put_values(rest: RestClient, document: Document) -> None:
    path = rest.services.path_to(document["service"]["id"], "custom_fields", "values")
    rest.caller.call("PUT", path, body={"custom_fields": document["custom_fields"]})


_PUT: Final = {
    "team_memberships": _put_member,
    "service_dependencies": _put_dependency,
    "orchestration_rules": _put_rules,
    "service_orchestrations": _put_service_rules,
    "tag_assignments": _put_tags,
    "service_custom_field_values": _put_values,
}
