"""What an account is made of, kind by kind, in an order in which each names only what comes before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    Document = Mapping[str, Any]

NO_API: Final = "PagerDuty has no way to make one over its API"


@dataclass(frozen=True)
class Kind:
    """One kind of item: what of it is volatile, by what it is known in another account, and what is sent to make it again."""

    name: str
    noun: str
    """For people."""
    key: tuple[str, ...] = ("name",)
    """The fields that say which one it is, where ids do not. Several of one key are told apart by their order."""
    title: str = "name"
    derived: tuple[str, ...] = ()
    """Fields that follow from other things, change by themselves, or are secret: never kept."""
    sent: tuple[str, ...] = ()
    """Fields that make it again. Empty: it cannot be made."""
    unordered: tuple[str, ...] = ()
    """Lists whose order means nothing."""
    numbered: tuple[str, ...] = ()
    """Lists whose members have ids of their own, which nobody refers to."""
    typed: bool = False
    """Whether its `type` says anything."""
    lost: Mapping[str, str] | str = ""
    """What the one made again does not have of the one that was: said in the plan."""
    owner: str = ""
    """The field with the reference to what it belongs to."""
    hangs: bool = False
    """Whether it has no id of its own, and is put in place rather than made: doing it twice does no harm."""


def _rules(noun: str, *key: str) -> dict[str, Any]:
    fields = ("contact_method", *key)
    return {"noun": noun, "key": ("user", *fields), "title": "contact_method", "sent": fields, "owner": "user"}


_USER: Final = (
    "avatar_url", "invitation_sent", "created_via_sso", "teams", "contact_methods", "notification_rules", "http_cal_url",
    "web_cal_url", "private_url_key", "coordinated_incidents",
)  # fmt: skip
_EMAIL: Final = (
    "integration_email", "email_incident_creation", "email_filter_mode", "email_parsers", "email_parsing_fallback", "email_filters",
)  # fmt: skip
_SERVICE: Final = (
    "name", "description", "status", "escalation_policy", "auto_resolve_timeout", "acknowledgement_timeout",
    "incident_urgency_rule", "support_hours", "scheduled_actions", "alert_creation", "alert_grouping_parameters",
    "auto_pause_notifications_parameters",
)  # fmt: skip
_FIELD: Final = ("name", "display_name", "description", "data_type", "field_type", "default_value", "enabled", "field_options")
NEW_KEY: Final = "it gets a new key: give that to whoever sends with the old one"
NEW_SECRET: Final = "it signs with a new secret, which PagerDuty tells once: rotate it (tocsin tokens)"  # noqa: S105

KINDS: Final = (
    Kind("account", "account", key=(), title="host"),
    Kind("licenses", "licence", lost="licences are bought", derived=("current_value", "allocations_available")),
    Kind("priorities", "priority", lost=NO_API),
    Kind(
        "users",
        "user",
        key=("email",),
        title="email",
        derived=_USER,
        sent=("name", "email", "time_zone", "color", "role", "description", "job_title", "license"),
        lost="passwords, sign-ins and calendar addresses are not in a backup; PagerDuty invites them anew",
    ),
    Kind(
        "contact_methods",
        "contact method",
        key=("user", "type", "address", "country_code"),
        title="address",
        derived=("blacklisted", "enabled"),
        sent=("type", "label", "address", "country_code", "send_short_email"),
        typed=True,
        owner="user",
    ),
    Kind("notification_rules", **_rules("notification rule", "urgency", "start_delay_in_minutes")),
    Kind(
        "oncall_handoff_notification_rules",
        **_rules("hand-off notification rule", "handoff_type", "notify_advance_in_minutes"),
    ),
    Kind("status_update_notification_rules", **_rules("status update notification rule")),
    Kind("teams", "team", sent=("name", "description", "default_role", "parent")),
    Kind("team_memberships", "team membership", key=("team", "user"), title="user", sent=("role",), hangs=True),
    Kind(
        "schedules",
        "schedule",
        derived=("users", "escalation_policies", "final_schedule", "overrides_subschedule", "next_oncall_for_user"),
        sent=("name", "time_zone", "description", "schedule_layers", "teams"),
        unordered=("teams",),
        numbered=("schedule_layers",),
    ),
    Kind(
        "schedule_overrides",
        "override",
        key=("schedule", "start", "end", "user"),
        title="start",
        sent=("start", "end", "user"),
        owner="schedule",
    ),
    Kind(
        "v3_schedules",
        "schedule of rotations",
        derived=("users", "escalation_policies", "rotations", "final_schedule", "http_cal_url", "web_cal_url"),
        sent=("name", "time_zone", "description", "teams"),
        unordered=("teams",),
    ),
    Kind("v3_rotations", "rotation", key=("schedule",), title="id", derived=("events",), sent=("schedule",), owner="schedule"),
    Kind(
        "v3_events",
        "rotation's event",
        key=("rotation", "name"),
        sent=(
            "name", "start_time", "end_time", "effective_since", "effective_until", "recurrence", "assignment_strategy",
        ),
        owner="rotation",
    ),
    Kind(
        "v3_custom_shifts",
        "custom shift",
        key=("schedule", "start_time", "end_time", "assignments"),
        title="start_time",
        sent=("type", "start_time", "end_time", "assignments"),
        numbered=("assignments",),
        typed=True,
        owner="schedule",
    ),
    Kind(
        "v3_overrides",
        "override",
        key=("schedule", "start_time", "end_time", "overridden_member", "overriding_member"),
        title="start_time",
        sent=(
            "type", "rotation_id", "custom_shift_id", "start_time", "end_time", "overridden_member", "overriding_member",
        ),
        typed=True,
        owner="schedule",
    ),
    Kind(
        "escalation_policies",
        "escalation policy",
        derived=("services",),
        sent=("name", "description", "num_loops", "on_call_handoff_notifications", "escalation_rules", "teams"),
        unordered=("teams",),
        numbered=("escalation_rules",),
    ),
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
    Kind("service_custom_fields", "custom field of services", title="display_name", sent=_FIELD, numbered=("field_options",)),
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
    Kind("incident_types", "incident type", sent=("name", "display_name", "description", "enabled", "parent_type"), derived=("parent",)),
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
            "trigger_type", "condition", "workflow", "services", "is_subscribed_to_all_services", "permissions", "is_disabled",
            "incident_types",
        ),
        unordered=("services",),
    ),
    Kind("event_orchestrations", "event orchestration", derived=("routes", "integrations"), sent=("name", "description", "team")),
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
    Kind("tag_assignments", "tags", key=("bearer",), title="bearer", sent=("labels",), unordered=("labels",), hangs=True),
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
BY_NAME: Final = {kind.name: kind for kind in KINDS}
ORDER: Final = {kind.name: place for place, kind in enumerate(KINDS)}
