"""What PagerDuty shows of an object only when asked for it by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.account.canonical import item_of, reference_to
from tasks.utils.rest.collection import OFFSET
from tasks.utils.rest.pages import items_of
from tasks.utils.rest.parameters import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tasks.backups.items import Item
    from tasks.utils.rest.client import RestClient

    Items = Iterator[Item]

RULE_PARTS: Final = ("router", "unrouted", "global")
NOTHING: Final[tuple[dict[str, str], ...]] = ({}, {"route_to": "unrouted"})
"""What a document of rules does that nobody has written."""


@dataclass(frozen=True)
class View:
    """What reading needs: the client, and the span of time whose stand-ins are kept."""

    rest: RestClient
    since: datetime
    until: datetime

    @property
    def span(self) -> dict[str, Any]:
        """As a query says it; what reaches beyond it is to be told whole."""
        return {"since": self.since, "until": self.until, "overflow": True}


@dataclass(frozen=True)
class Part:
    """What is read of each object besides its list; `kinds` are what comes of it, the first is named where it is refused."""

    kinds: tuple[str, ...]
    read: Callable[[View, str], Items]


def _handoff_rules(view: View, user_id: str) -> Items:
    for raw in view.rest.users.handoff_rules(user_id).list():
        yield item_of("oncall_handoff_notification_rules", raw, user=reference_to("user", user_id))


def _status_rules(view: View, user_id: str) -> Items:
    for raw in view.rest.users.status_update_rules(user_id).list():
        yield item_of("status_update_notification_rules", raw, user=reference_to("user", user_id))


def _members(view: View, team_id: str) -> Items:
    for raw in view.rest.teams.members(team_id):
        user = reference_to("user", raw["user"]["id"])
        member = {"team": reference_to("team", team_id), "user": user, "role": raw["role"]}
        yield item_of("team_memberships", member, f"{team_id}.{user['id']}")


def _overrides(view: View, schedule_id: str) -> Items:
    schedule = reference_to("schedule", schedule_id)
    overrides = view.rest.schedules.v2.below(schedule_id, "overrides", "override", "overrides")
    for raw in overrides.list(**view.span):
        yield item_of("schedule_overrides", raw, schedule=schedule)


def _rotations(view: View, schedule_id: str) -> Items:
    raw = view.rest.schedules.v3.get(schedule_id)
    yield item_of("v3_schedules", raw)
    schedule = reference_to("schedule_v3", schedule_id)
    for rotation in raw.get("rotations") or ():
        yield item_of("v3_rotations", rotation, schedule=schedule)
        named = reference_to("rotation", rotation["id"])
        for event in rotation.get("events") or ():
            yield item_of("v3_events", event, schedule=schedule, rotation=named)


def _v3_spans(kind: str, many: str) -> Callable[[View, str], Items]:
    def read(view: View, schedule_id: str) -> Items:
        spans = view.rest.schedules.v3.below(schedule_id, many, "", many, OFFSET)
        for raw in spans.list(**view.span):
            yield item_of(kind, raw, schedule=reference_to("schedule_v3", schedule_id))

    return read


def _dependencies(*, is_business: bool) -> Callable[[View, str], Items]:
    def read(view: View, service_id: str) -> Items:
        for raw in view.rest.dependencies.of(service_id, is_business=is_business):
            yield item_of("service_dependencies", raw)

    return read


def _service_rules(view: View, service_id: str) -> Items:
    """A service's own rules; where there are none, PagerDuty has neither a switch for them nor variables that they read."""
    orchestrations, owner = view.rest.orchestrations, reference_to("service", service_id)
    rules = orchestrations.service_rules(service_id)
    if is_blank(rules):
        return
    active = orchestrations.is_active(service_id)
    yield item_of("service_orchestrations", _document(rules), service_id, service=owner, active=active)
    path = orchestrations.path_to("services", service_id, "cache_variables")
    yield from _variables(view, path, owner)


def _orchestration_integrations(view: View, orchestration_id: str) -> Items:
    owner = reference_to("event_orchestration", orchestration_id)
    for raw in view.rest.orchestrations.integrations(orchestration_id).list():
        yield item_of("orchestration_integrations", raw, orchestration=owner)


def _orchestration_rules(part: Any) -> Callable[[View, str], Items]:
    def read(view: View, orchestration_id: str) -> Items:
        owner = reference_to("event_orchestration", orchestration_id)
        rules = view.rest.orchestrations.rules(orchestration_id, part)
        if not is_blank(rules):
            name = f"{orchestration_id}.{part}"
            yield item_of("orchestration_rules", _document(rules), name, orchestration=owner, part=part)

    return read


def _orchestration_variables(view: View, orchestration_id: str) -> Items:
    owner = reference_to("event_orchestration", orchestration_id)
    yield from _variables(view, view.rest.orchestrations.path_to(orchestration_id, "cache_variables"), owner)


def _variables(view: View, path: str, owner: Any) -> Items:
    for raw in items_of(view.rest.caller.get(path), "cache_variables"):
        yield item_of("cache_variables", raw, owner=owner)


def _field_values(view: View, service_id: str) -> Items:
    path = view.rest.services.path_to(service_id, "custom_fields", "values")
    fields = items_of(view.rest.caller.get(path), "custom_fields")
    values = [{"name": one["name"], "value": one["value"]} for one in fields if one.get("value") not in (None, [])]
    if values:
        owner = reference_to("service", service_id)
        values.sort(key=lambda one: str(one["name"]))
        yield item_of("service_custom_field_values", {"custom_fields": values}, service_id, service=owner)


def _incident_fields(view: View, type_id: str) -> Items:
    path = f"/incidents/types{path_of(type_id, 'custom_fields')}"
    for raw in items_of(view.rest.caller.get(path, {"include": ["field_options"]}), "fields"):
        if raw.get("incident_type") == type_id:  # others are inherited
            yield item_of("incident_custom_fields", raw, incident_type=reference_to("incident_type", type_id))


def is_blank(rules: Any) -> bool:
    """Whether a document of rules does nothing."""
    sets, catch_all = rules.get("sets") or (), (rules.get("catch_all") or {}).get("actions") or {}
    return not any(one.get("rules") for one in sets) and catch_all in NOTHING


def _document(rules: Any) -> dict[str, Any]:
    return {"sets": rules["sets"], "catch_all": rules.get("catch_all") or {"actions": {}}}


OF_USERS: Final = (
    Part(("oncall_handoff_notification_rules",), _handoff_rules),
    Part(("status_update_notification_rules",), _status_rules),
)
OF_TEAMS: Final = (Part(("team_memberships",), _members),)
OF_SCHEDULES: Final = (Part(("schedule_overrides",), _overrides),)
OF_V3_SCHEDULES: Final = (
    Part(("v3_schedules", "v3_rotations", "v3_events"), _rotations),
    Part(("v3_custom_shifts",), _v3_spans("v3_custom_shifts", "custom_shifts")),
    Part(("v3_overrides",), _v3_spans("v3_overrides", "overrides")),
)
OF_SERVICES: Final = (
    Part(("service_orchestrations", "cache_variables"), _service_rules),
    Part(("service_dependencies",), _dependencies(is_business=False)),
)
OF_BUSINESS_SERVICES: Final = (Part(("service_dependencies",), _dependencies(is_business=True)),)
OF_ORCHESTRATIONS: Final = (
    Part(("orchestration_integrations",), _orchestration_integrations),
    *(Part(("orchestration_rules",), _orchestration_rules(part)) for part in RULE_PARTS),
    Part(("cache_variables",), _orchestration_variables),
)
FIELD_VALUES: Final = Part(("service_custom_field_values",), _field_values)
OF_INCIDENT_TYPES: Final = (Part(("incident_custom_fields",), _incident_fields),)
