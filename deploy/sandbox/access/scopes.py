"""Which scope an OAuth token must have for what: read or write, of what the path is about."""

from __future__ import annotations

import re

# The first that fits decides; what fits none is about what its first word says.
ABOUT = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"(/[^/]+/[^/]+|/v3/schedules/[^/]+)?/audit/records", "audit_records"),
        (r"/users/[^/]+/(contact_methods|notification_rules)(/.*)?", "users:contact_methods"),
        (r"/users/[^/]+/sessions(/.*)?", "users:sessions"),
        (r"/users/[^/]+/license|/license_allocations", "licenses"),
        (r"/schedules/[^/]+/users", "users"),
        (r".*/(notification_subscriptions|subscribers|unsubscribe|account_subscription)(/.*)?", "subscribers"),
        (r"/(escalation_policies|teams|users)/[^/]+/(tags|change_tags)", "tags"),
        (r"/(incidents|services)/(types/[^/]+/)?custom_fields(/.*)?", "custom_fields"),
        (r"/incidents/types(/[^/]+)?", "incident_types"),
        (r"/(log_entries|paused_incident_reports)(/.*)?", "incidents"),
        (r"/event_orchestrations/services/.*", "services"),
        (r"/(alert_grouping_settings|business_services|maintenance_windows|service_dependencies)(/.*)?", "services"),
        (r"/notifications", "users:notifications"),
        (r"/rulesets(/.*)?", "event_rules"),
        (r"/(v3/)?schedules(/.*)?", "schedules"),
    )
)


def scope_of(method: str, path: str) -> str:
    """The scope that a call needs, such as `incidents.write`."""
    about = next((name for pattern, name in ABOUT if pattern.fullmatch(path)), path.split("/")[1])
    return f"{about}.{'read' if method == 'GET' else 'write'}"
