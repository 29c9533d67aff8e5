"""What every account has: priorities, vendors, licences, and whom a service without a policy of its own turns to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.names import reference

if TYPE_CHECKING:
    from deploy.sandbox.store import Store

DEFAULT_USER = "PSANDBUS01"
DEFAULT_POLICY = reference("escalation_policy", "PSANDBEP01")

ABILITIES = (
    "sso", "advanced_reports", "teams", "read_only_users", "team_responders", "service_support_hours",
    "urgencies", "manage_schedules", "manage_api_keys", "coordinated_responding", "coordinated_responding_preview",
    "using_alerts_on_any_service", "preview_incident_alert_split", "permissions_service", "on_call_selfservice",
    "event_rules", "response_operations", "audit_trail", "analytics", "event_intelligence", "custom_fields",
)  # fmt: skip
# Abilities that PagerDuty sells; an account that lists its abilities without one of them gets 402 for it.
SOLD = (*ABILITIES, "status_pages", "automation_actions", "incident_workflows", "stakeholder_users")

PRIORITIES = [
    {"id": f"PSANDBPR0{level}", "type": "priority", "name": f"P{level}", "description": ""} for level in range(1, 6)
]
_VENDORS = ("Amazon CloudWatch", "Datadog", "Events API v2", "Grafana", "Nagios", "Prometheus", "Zabbix")
VENDORS = [
    {
        "id": f"PSANDBVE{number:02d}",
        "type": "vendor",
        "name": name,
        "website_url": "https://example.com/",
        "logo_url": "https://example.com/logo.png",
        "thumbnail_url": "https://example.com/thumbnail.png",
        "description": f"Alerts of {name}",
        "integration_guide_url": "https://example.com/guide",
    }
    for number, name in enumerate(_VENDORS, 1)
]
EXTENSION_SCHEMAS = [
    {
        "id": f"PSANDBXS{number:02d}",
        "type": "extension_schema",
        "label": label,
        "key": key,
        "description": f"Sends incidents to {label}",
        "icon_url": "https://example.com/icon.png",
        "logo_url": "https://example.com/logo.png",
        "guide_url": "https://example.com/guide",
        "send_types": ["trigger", "acknowledge", "resolve", "delegate", "escalate", "unacknowledge", "assign"],
        "url": "https://example.com/hook",
    }
    for number, (label, key) in enumerate(
        (("Generic V2 Webhook", "webhook_v2"), ("Slack", "slack_v2"), ("ServiceNow", "servicenow_v7")), 1
    )
]
INCIDENT_TYPES = [{"id": "PSANDBIT01", "name": "incident_default", "display_name": "Base Incident", "enabled": True}]
_ROLES = ["owner", "admin", "user", "limited_user", "observer", "restricted_access"]
LICENSES = [
    {
        "id": "PSANDBLI01",
        "type": "license",
        "name": "Full user",
        "description": "Responds to incidents",
        "role_group": "FullUser",
        "valid_roles": _ROLES,
    },
    {
        "id": "PSANDBLI02",
        "type": "license",
        "name": "Stakeholder",
        "description": "Watches incidents",
        "role_group": "Stakeholder",
        "valid_roles": ["read_only_user", "read_only_limited_user"],
    },
]
_DEFAULTS: dict[str, list[dict[str, Any]]] = {
    "users": [
        {"id": DEFAULT_USER, "name": "Default", "email": "default@sandbox.invalid", "role": "owner"},
    ],
    "escalation_policies": [
        {
            "id": DEFAULT_POLICY["id"],
            "name": "Default",
            "escalation_rules": [
                {
                    "id": "PSANDBER01",
                    "escalation_delay_in_minutes": 30,
                    "targets": [reference("user", DEFAULT_USER)],
                }
            ],
        }
    ],
}
_LISTS: dict[str, list[dict[str, Any]]] = {
    "priorities": PRIORITIES,
    "vendors": VENDORS,
    "extension_schemas": EXTENSION_SCHEMAS,
    "licenses": LICENSES,
}


def furnish(store: Store) -> None:
    """Give an account that lists none of its own what every account has."""
    for kind, entities in _LISTS.items():
        for entity in entities if not store.all(kind) else ():
            store.add(kind, dict(entity))
    for entity in INCIDENT_TYPES:  # all others are below it
        if store.get("incident_types", str(entity["id"])) is None:
            store.add("incident_types", dict(entity))


def add_default_policy(store: Store) -> None:
    """The policy of services that name none, with somebody on it."""
    for kind, entities in _DEFAULTS.items():
        for entity in entities:
            if store.get(kind, entity["id"]) is None:
                store.add(kind, dict(entity))


def is_builtin(kind: str, entity: dict[str, Any]) -> bool:
    """Whether an object is one of those every account has, unchanged."""
    if kind == "incident_types":
        return entity in INCIDENT_TYPES
    return entity in _LISTS.get(kind, _DEFAULTS.get(kind, ()))
