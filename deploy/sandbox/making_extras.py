"""What surrounds a made-up account's services further out: stand-ins, rules of services, custom fields, workflows, webhooks."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Protocol

from deploy.sandbox.builtin import INCIDENT_TYPES
from deploy.sandbox.names import reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from deploy.sandbox.store import Entity, Store

MOST_FIELDS = 15
BASE = INCIDENT_TYPES[0]


class Account(Protocol):
    """What is made so far."""

    store: Store

    def any_of(self, kind: str) -> Entity:
        """One of the objects made before, by chance."""

    def in_turn(self, kind: str, number: int) -> Entity:
        """One of the objects made before, each as often as the others."""


def override(account: Account, number: int) -> None:
    """Somebody else for years: whenever it is looked for, it lasts."""
    schedule, day = account.in_turn("schedules", number), f"{number % 12 + 1:02d}-{number % 28 + 1:02d}"
    user = reference("user", account.any_of("users")["id"])
    made = {
        "id": account.store.new_id(),
        "start": f"2026-{day}T08:00:00Z",
        "end": f"2040-{day}T20:00:00Z",
        "user": user,
    }
    schedule.setdefault("overrides", []).append(made)


def service_rules(account: Account, number: int) -> None:
    """A service that lowers what comes from a test, and calls another policy for the rest."""
    service = account.in_turn("services", number)
    rule = {
        "id": f"{number:08x}",
        "label": "Tests",
        "conditions": [{"expression": "event.source matches part 'test'"}],
        "actions": {"suppress": True},
    }
    policy = account.any_of("escalation_policies")["id"]
    sets = [{"id": "start", "rules": [rule]}]
    catch_all = {"actions": {"escalation_policy": policy}}
    service["orchestration"] = {"sets": sets, "catch_all": catch_all, "active": number % 2 == 0}


def cache_variable(account: Account, number: int) -> None:
    """What an orchestration remembers of its events."""
    owner = account.in_turn("event_orchestrations", number)
    made = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, account.store.new_id())),
        "name": f"seen_{number + 1}",
        "disabled": False,
        "conditions": [{"expression": "event.summary exists"}],
        "configuration": {"type": "recent_value", "source": "event.summary", "regex": ".*"},
    }
    owner.setdefault("cache_variables", []).append(made)


def service_custom_field(account: Account, number: int) -> Entity | None:
    """A word about a service; an account may have 15 of them."""
    if number >= MOST_FIELDS:
        return None
    options = [{"id": account.store.new_id(), "data": {"data_type": "string", "value": one}} for one in ("eu", "us")]
    fixed = {"field_type": "single_value_fixed", "field_options": options}
    named = {"name": f"field_{number + 1}", "display_name": f"Field {number + 1}", "data_type": "string"}
    return {**named, **(fixed if number % 2 else {"field_type": "single_value"})}


def custom_field_value(account: Account, number: int) -> None:
    """What a service says in a field."""
    field = account.in_turn("service_custom_fields", number)
    value = "eu" if field["field_type"].endswith("_fixed") else f"value {number + 1}"
    account.in_turn("services", number).setdefault("custom_field_values", {})[field["id"]] = value


def incident_type(_: Account, number: int) -> Entity:
    """A kind of incident below the base type, which every account has."""
    return {"name": f"type_{number + 1}", "display_name": f"Type {number + 1}", "parent_type": BASE["id"]}


def incident_custom_field(account: Account, number: int) -> Entity:
    """What is asked of an incident."""
    options = [{"id": account.store.new_id(), "data": {"data_type": "string", "value": one}} for one in ("yes", "no")]
    fixed = {"field_type": "multi_value_fixed", "field_options": options}
    return {
        "name": f"question_{number + 1}",
        "display_name": f"Question {number + 1}",
        "data_type": "string",
        **(fixed if number % 2 else {"field_type": "single_value"}),
        "incident_type": account.in_turn("incident_types", number)["id"],
    }


def incident_workflow(account: Account, number: int) -> Entity:
    """Two steps, the second of which names a team."""
    steps = [("Note", "note", f"Look at {number + 1}"), ("Tell", "team", account.any_of("teams")["id"])]
    return {
        "name": f"Workflow {number + 1}",
        "description": "Made up",
        "is_enabled": number % 3 > 0,
        "steps": [
            {
                "id": account.store.new_id(),
                "name": name,
                "action_configuration": {
                    "action_id": f"pagerduty.com:{name.lower()}:1",
                    "inputs": [{"name": field, "value": value}],
                },
            }
            for name, field, value in steps
        ],
    }


def incident_workflow_trigger(account: Account, number: int) -> Entity:
    """By hand, for one service."""
    return {
        "trigger_type": "manual",
        "workflow": reference("workflow", account.in_turn("incident_workflows", number)["id"]),
        "services": [reference("service", account.any_of("services")["id"])],
        "is_subscribed_to_all_services": False,
    }


def webhook_subscription(account: Account, number: int) -> Entity:
    """A hook that nobody answers; every second one has a header of its own."""
    headers = [{"name": "x-team", "value": f"secret {number + 1}"}] if number % 2 else []
    return {
        "type": "webhook_subscription",
        "active": number % 3 > 0,
        "description": f"Hook {number + 1}",
        "events": ["incident.triggered", "incident.resolved"],
        "filter": reference_filter(account, number),
        "delivery_method": {
            "id": account.store.new_id(),
            "type": "http_delivery_method",
            "other_secrets": [],
            "temporarily_disabled": False,
            "url": f"http://127.0.0.1:9/hooks/{number + 1}",
            "secret": f"secret of hook {number + 1}",
            "custom_headers": headers,
        },
    }


def reference_filter(account: Account, number: int) -> Entity:
    """Of one service or of everything."""
    if number % 2:
        return {"type": "account_reference"}
    return reference("service", account.in_turn("services", number)["id"])


EXTRAS: Mapping[str, Callable[[Any, int], Entity | None]] = {
    "overrides": override,
    "service_rules": service_rules,
    "cache_variables": cache_variable,
    "service_custom_fields": service_custom_field,
    "service_custom_field_values": custom_field_value,
    "incident_types": incident_type,
    "incident_custom_fields": incident_custom_field,
    "incident_workflows": incident_workflow,
    "incident_workflow_triggers": incident_workflow_trigger,
    "webhook_subscriptions": webhook_subscription,
}
