"""The kinds of item that say who is there, and who is called when."""

from __future__ import annotations

from typing import Any, Final

from tasks.backups.account.kind import Kind

NO_API: Final = "PagerDuty has no way to make one over its API"


def _rules(noun: str, *key: str) -> dict[str, Any]:
    fields = ("contact_method", *key)
    return {"noun": noun, "key": ("user", *fields), "title": "contact_method", "sent": fields, "owner": "user"}


_USER: Final = (
    "avatar_url", "invitation_sent", "created_via_sso", "teams", "contact_methods", "notification_rules", "http_cal_url",
    "web_cal_url", "private_url_key", "coordinated_incidents",
)  # fmt: skip

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
    Kind(
        "v3_rotations",
        "rotation",
        key=("schedule",),
        title="id",
        derived=("events",),
        sent=("schedule",),
        owner="schedule",
    ),
    Kind(
        "v3_events",
        "rotation's event",
        key=("rotation", "name"),
        sent=(
            "name",
            "start_time",
            "end_time",
            "effective_since",
            "effective_until",
            "recurrence",
            "assignment_strategy",
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
            "type",
            "rotation_id",
            "custom_shift_id",
            "start_time",
            "end_time",
            "overridden_member",
            "overriding_member",
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
)
