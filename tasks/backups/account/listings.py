"""The lists an account is read from, and what each object in them is made into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.account import parts
from tasks.backups.account.canonical import item_of, reference_to
from tasks.utils.rest.collection import AFTER, CURSOR, OFFSET, WHOLE, Collection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tasks.backups.account.parts import Part
    from tasks.backups.items import Item
    from tasks.utils.rest.client import RestClient

STAMPS: Final = ("updated_at", "version")


def _one(kind: str) -> Callable[[Mapping[str, Any]], Iterator[Item]]:
    def split(raw: Mapping[str, Any]) -> Iterator[Item]:
        yield item_of(kind, raw)

    return split


@dataclass(frozen=True)
class Listing:
    """One list of the REST API: `many` is what items are called in it, `include` what is asked for besides."""

    kind: str
    path: str
    include: tuple[str, ...] = ()
    filters: tuple[tuple[str, Any], ...] = ()
    parts: tuple[Part, ...] = ()
    paging: str = OFFSET
    many: str = ""
    split: Callable[[Mapping[str, Any]], Iterator[Item]] | None = None
    has_query: bool = False
    """Whether the list can be narrowed by `query`, should it be longer than PagerDuty lists."""
    audited: str = ""
    """What the audit trail calls them, where it tells of their changes."""

    def collection(self, rest: RestClient) -> Collection:
        """Whoever lists them."""
        return Collection(rest.caller, self.path, "", self.many or self.kind, self.paging)

    def asked(self) -> dict[str, Any]:
        """The filters."""
        return {**dict(self.filters), **({"include": list(self.include)} if self.include else {})}

    def items(self, raw: Mapping[str, Any]) -> list[Item]:
        """What one object in the list is made into."""
        return list((self.split or _one(self.kind))(raw))

    def stamps(self, raw: Mapping[str, Any]) -> list[Any]:
        """What says that the object has changed, though what is kept of it has not."""
        return [raw.get(name) for name in STAMPS] if self.parts else []


def _user(raw: Mapping[str, Any]) -> Iterator[Item]:
    owner = reference_to("user", raw["id"])
    yield item_of("users", raw)
    for method in raw.get("contact_methods") or ():
        yield item_of("contact_methods", method, user=owner)
    for rule in raw.get("notification_rules") or ():
        yield item_of("notification_rules", rule, user=owner)


def _service(raw: Mapping[str, Any]) -> Iterator[Item]:
    yield item_of("services", raw)
    for door in raw.get("integrations") or ():
        yield item_of("integrations", door, service=reference_to("service", raw["id"]))


def _nothing(_: Mapping[str, Any]) -> Iterator[Item]:
    """Whose list says too little: all is in the parts."""
    return iter(())


LISTINGS: Final = (
    Listing("licenses", "/licenses", paging=WHOLE),
    Listing("priorities", "/priorities"),
    Listing(
        "users",
        "/users",
        ("contact_methods", "notification_rules"),
        parts=parts.OF_USERS,
        split=_user,
        has_query=True,
        audited="users",
    ),
    Listing("teams", "/teams", parts=parts.OF_TEAMS, has_query=True, audited="teams"),
    Listing(
        "schedules",
        "/schedules",
        ("schedule_layers",),
        parts=parts.OF_SCHEDULES,
        has_query=True,
        audited="schedules",
    ),
    Listing(
        "v3_schedules",
        "/v3/schedules",
        many="schedules",
        parts=parts.OF_V3_SCHEDULES,
        split=_nothing,
        has_query=True,
        audited="schedules",
    ),
    Listing(
        "escalation_policies",
        "/escalation_policies",
        ("escalation_rule_assignment_strategies",),
        has_query=True,
        audited="escalation_policies",
    ),
    Listing("service_custom_fields", "/services/custom_fields", ("field_options",), paging=WHOLE, many="fields"),
    Listing(
        "services",
        "/services",
        ("integrations", "auto_pause_notifications_parameters"),
        parts=parts.OF_SERVICES,
        split=_service,
        has_query=True,
        audited="services",
    ),
    Listing("business_services", "/business_services", parts=parts.OF_BUSINESS_SERVICES),
    Listing(
        "incident_types",
        "/incidents/types",
        filters=(("filter", "all"),),
        parts=parts.OF_INCIDENT_TYPES,
        paging=WHOLE,
    ),
    Listing("incident_workflows", "/incident_workflows", ("steps", "team"), has_query=True),
    Listing("incident_workflow_triggers", "/incident_workflows/triggers", paging=CURSOR, many="triggers"),
    Listing("event_orchestrations", "/event_orchestrations", parts=parts.OF_ORCHESTRATIONS, many="orchestrations"),
    Listing("alert_grouping_settings", "/alert_grouping_settings", paging=AFTER),
    Listing("extensions", "/extensions", has_query=True),
    Listing("addons", "/addons"),
    Listing("webhook_subscriptions", "/webhook_subscriptions"),
    Listing("tags", "/tags", has_query=True),
    Listing("maintenance_windows", "/maintenance_windows", filters=(("filter", "open"),), has_query=True),
)
TAGGED: Final = {"users": "user", "teams": "team", "escalation_policies": "escalation_policy"}
"""What bears tags, and how it is called."""
UNKEPT: Final = (
    Listing("automation_actions", "/automation_actions/actions", paging=CURSOR, many="actions"),
    Listing("automation_runners", "/automation_actions/runners", paging=CURSOR, many="runners"),
    Listing("templates", "/templates"),
    Listing("status_pages", "/status_pages", paging=WHOLE),
    Listing("rulesets", "/rulesets"),
    Listing("ip_allow_lists", "/ip_allow_lists", paging=WHOLE),
    Listing("enrichment_schemas", "/enrichment/schemas", paging=WHOLE, many="schemas"),
    Listing("event_enrichments", "/enrichment/event_enrichments"),
    Listing("servicenow_enrichments", "/enrichment/integrations/servicenow", paging=WHOLE, many="integrations"),
    Listing("workflow_connections", "/workflows/integrations/connections", paging=CURSOR, many="connections"),
    Listing("priority_thresholds", "/business_services/priority_thresholds", paging=WHOLE, many="global_threshold"),
    Listing("session_configurations", "/session_configurations", paging=WHOLE),
    Listing("agent_memories", "/sre_agent/memories", paging=WHOLE, many="memories"),
    Listing("webhook_oauth_clients", "/webhook_subscriptions/oauth_clients", paging=WHOLE, many="oauth_clients"),
)
"""What no backup holds. Whether an account has any is looked at, so that this can be said."""
