"""The kinds of item that say what can fail, and what happens then."""

from __future__ import annotations

from typing import Final

from tasks.backups.account.kind import Kind

_EMAIL: Final = (
    "integration_email", "email_incident_creation", "email_filter_mode", "email_parsers", "email_parsing_fallback", "email_filters",
)  # fmt: skip
_SERVICE: Final = (
    "name", "description", "status", "escalation_policy", "auto_resolve_timeout", "acknowledgement_timeout",
    "incident_urgency_rule", "support_hours", "scheduled_actions", "alert_creation", "alert_grouping_parameters",
    "auto_pause_notifications_parameters",
)  # fmt: skip
_FIELD: Final = (
    "name",
    "display_name",
    "description",
    "data_type",
    "field_type",
    "default_value",
    "enabled",
    "field_options",
)
NEW_KEY: Final = "it gets a new key: give that to whoever sends with the old one"
NEW_SECRET: Final = "it signs with a new secret, which PagerDuty tells once: rotate it (tocsin tokens)"  # noqa: S105


KINDS: Final = (
    Kind(
        "services",
        "service",
        derived=("last_incident_timestamp", "teams", "integrations", "addons", "response_play", "metadata"),
        sent=_SERVICE,
        lost="its incidents stay where they are",
    ),
    Kind(
        "integrations",
        "integration",
        key=("service", "type", "name"),
        derived=("integration_key",),
        sent=("type", "name", "vendor", *_EMAIL[1:]),
        typed=True,
        lost=NEW_KEY,
        owner="service",
    ),
    Kind(
        "service_custom_fields",
        "custom field of services",
        title="display_name",
        sent=_FIELD,
        numbered=("field_options",),
    ),
    Kind(
        "service_custom_field_values",
        "values of custom fields",
        key=("service",),
        title="service",
        sent=("custom_fields",),
        hangs=True,
    ),
    Kind("business_services", "business service", sent=("name", "description", "point_of_contact", "team")),
    Kind(
        "service_dependencies",
        "dependency",
        key=("supporting_service", "dependent_service"),
        title="dependent_service",
        sent=("supporting_service", "dependent_service"),
        hangs=True,
    ),
    Kind(
        "incident_types",
        "incident type",
        sent=("name", "display_name", "description", "enabled", "parent_type"),
        derived=("parent",),
    ),
    Kind(
        "incident_custom_fields",
        "custom field of incidents",
        key=("incident_type", "name"),
        title="display_name",
        derived=("summary",),
        sent=_FIELD,
        numbered=("field_options",),
        owner="incident_type",
    ),
    Kind(
        "incident_workflows",
        "incident workflow",
        sent=("name", "description", "team", "is_enabled", "steps"),
        numbered=("steps",),
    ),
    Kind(
        "incident_workflow_triggers",
        "trigger of a workflow",
        key=("workflow", "trigger_type", "condition", "services", "incident_types"),
        title="trigger_type",
        derived=("trigger_type_name", "trigger_url"),
        sent=(
            "trigger_type",
            "condition",
            "workflow",
            "services",
            "is_subscribed_to_all_services",
            "permissions",
            "is_disabled",
            "incident_types",
        ),
        unordered=("services",),
    ),
    Kind(
        "event_orchestrations",
        "event orchestration",
        derived=("routes", "integrations"),
        sent=("name", "description", "team"),
    ),
    Kind(
        "orchestration_integrations",
        "orchestration's integration",
        key=("orchestration", "label"),
        title="label",
        derived=("parameters",),
        sent=("label",),
        lost=NEW_KEY,
        owner="orchestration",
    ),
    Kind(
        "orchestration_rules",
        "orchestration's rules",
        key=("orchestration", "part"),
        title="part",
        sent=("sets", "catch_all"),
        hangs=True,
    ),
    Kind(
        "service_orchestrations",
        "service's rules",
        key=("service",),
        title="service",
        sent=("sets", "catch_all", "active"),
        hangs=True,
    ),
    Kind(
        "cache_variables",
        "cache variable",
        key=("owner", "name"),
        derived=("data_endpoint",),
        sent=("name", "disabled", "conditions", "configuration"),
        owner="owner",
    ),
    Kind(
        "alert_grouping_settings",
        "alert grouping setting",
        key=("services",),
        sent=("name", "description", "type", "config", "services"),
        unordered=("services",),
        typed=True,
    ),
    Kind(
        "extensions",
        "extension",
        key=("name", "extension_schema", "extension_objects"),
        derived=("temporarily_disabled",),
        sent=("name", "endpoint_url", "extension_objects", "extension_schema", "config"),
        unordered=("extension_objects",),
        lost="what was linked by signing in at the other side (OAuth) must be linked anew",
    ),
    Kind("addons", "add-on", key=("type", "name", "src"), sent=("type", "name", "src"), typed=True),
    Kind(
        "webhook_subscriptions",
        "webhook subscription",
        key=("url", "filter"),
        title="url",
        sent=("url", "custom_headers", "description", "events", "filter", "active"),
        unordered=("events",),
        lost=NEW_SECRET,
    ),
    Kind("tags", "tag", key=("label",), title="label", sent=("label",), unordered=("tagged",)),
    Kind(
        "tag_assignments", "tags", key=("bearer",), title="bearer", sent=("labels",), unordered=("labels",), hangs=True
    ),
    Kind(
        "maintenance_windows",
        "maintenance window",
        key=("start_time", "end_time", "description", "services"),
        title="description",
        derived=("sequence_number", "teams"),
        sent=("start_time", "end_time", "description", "services"),
        unordered=("services",),
    ),
)
