"""Where the account's half of the API parts from its description: method, template, what is complained of, and why."""

from __future__ import annotations

WHOLE = "include[] puts whole objects where the description knows references only"
NOT_A_REFERENCE = r"\.type: … is not one of "

OF_THE_ACCOUNT: tuple[tuple[str, str, str, str], ...] = (
    ("GET", "/users", NOT_A_REFERENCE, WHOLE),
    ("GET", "/users/{id}", NOT_A_REFERENCE, WHOLE),
    ("GET", "/services", NOT_A_REFERENCE, WHOLE),
    ("GET", "/services/{id}", NOT_A_REFERENCE, WHOLE),
    ("GET", "/escalation_policies", NOT_A_REFERENCE, WHOLE),
    ("GET", "/escalation_policies/{id}", NOT_A_REFERENCE, WHOLE),
    ("GET", "/incidents/{id}/alerts", r"first_trigger_log_entry" + NOT_A_REFERENCE, WHOLE),
    ("GET", "/oncalls", NOT_A_REFERENCE, WHOLE),
    ("GET", "/maintenance_windows", NOT_A_REFERENCE, WHOLE),
    ("GET", "/teams/{id}/members", NOT_A_REFERENCE, WHOLE),
    ("GET", "/oncalls", r"\.schedule: ", "in its own words: no schedule where a policy turns to the user directly"),
    (
        "*",
        "*",
        r"integration_key: no such field",
        "Terraform's provider and PagerDuty's own scripts read the key there",
    ),
    (
        "*",
        "*",
        r"teams?(\.\d+)?\.parent(\.\w+)?: no such field",
        "teams have parents, in the description's own examples too",
    ),
    ("*", "*", r"orchestrations?(\.\d+)?\.(created|updated)_by\.(summary|html_url): no", "a reference like all others"),
    ("GET", "/schedules/{id}/overrides", "status is not described", "described as 201 by mistake: a list is read"),
    ("GET", "/vendors/{id}", "vendor", "described as a list by mistake: clients read one vendor"),
)
