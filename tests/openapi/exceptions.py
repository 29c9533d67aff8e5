"""Where PagerDuty's description and its own behaviour part, each with the reason why we go with the behaviour."""

from __future__ import annotations

from typing import NamedTuple

from tests.openapi.account_exceptions import OF_THE_ACCOUNT


class Leave(NamedTuple):
    """One complaint to let pass: of which operation, about what (a pattern), and why."""

    method: str
    template: str
    about: str
    reason: str


# Operations PagerDuty has and does not describe: (method, path pattern) -> why.
UNDESCRIBED: dict[tuple[str, str], str] = {
    ("DELETE", r"/services/[^/]+/integrations/[^/]+"): "used by Terraform's provider and go-pagerduty for years",
}

# Statuses every operation may answer, described or not -> why.
ANY_OPERATION: dict[int, str] = {
    400: "bad arguments are refused everywhere; not every operation says so",
    401: "every operation needs a token",
    402: "abilities are checked where the account's plan lacks them",
    403: "scopes and read-only keys are checked everywhere",
    404: "an unknown id, or a path or method that does not exist",
    405: "a method the path does not have",
    408: "the error page lists it for every operation: try again",
    413: "a body beyond all bounds never gets as far as an operation",
    429: "the rate-limit page: treat every operation as able to answer it; only 280 of 465 say so",
    500: "the error page lists it for every operation: try again",
}

# A request refused with one of these may be as wrong as it is said to be.
REFUSALS = (400, 401, 403, 404, 405, 413)

# Headers the description requires and the API does not.
UNNEEDED_HEADERS: dict[str, str] = {
    "accept": "the API answers JSON without it",
    "content-type": "required on GET by the description; a body without it is still complained of",
}

# Fields that are null at times though not described so -> why.
NULLS: dict[str, str] = {
    "acknowledgement_timeout": "the description's own words: null where the feature is off",
    "alert_grouping": "null where nothing is grouped; the description's examples only show groups",
    "alert_grouping_parameters": "its type is null where grouping is off, and then there is no config",
    "alert_grouping_timeout": "null where it was never set; the description is silent about what is not set",
    "auto_resolve_timeout": "the description's own words: null where the feature is off",
    "config": "as alert_grouping_parameters",
    "description": "null in the description's own examples",
    "end": "in its own words null where a layer or an on-call has no end",
    "ended_at": "null in the description's own examples: alerts still join",
    "html_url": "null in the description's own examples",
    "incident_key": "the guide: incidents with alerts do not have an incident key",
    "job_title": "null where it was never set; the description is silent about what is not set",
    "last_incident_timestamp": "null while there was no incident",
    "next_cursor": "null in the description's own examples",
    "priority": "null in the description's own examples: no priority was given",
    "rendered_coverage_percentage": "in its own words null unless since or until are set",
    "resolve_reason": "null in the description's own examples",
    "resolved_at": "null in the description's own examples: not resolved yet",
    "seconds_to_first_ack": "null until it was acknowledged",
    "seconds_to_resolve": "null until it was resolved",
    "self": "null in the description's own examples",
    "start": "in its own words null for whoever is on call for good",
    "support_hours": "null where it was never set; the description is silent about what is not set",
    "team": "null in the description's own examples: nobody's in particular",
    "vendor": "null for an integration that is nobody's product",
}

# Types that the description's shapes do not let through, though its own list of types has them: type -> the only type
# its shape knows.
SAME_TYPES: dict[str, str] = {
    "acknowledge_log_entry": "acknowledgement_log_entry",  # LogEntry's list has the former, AcknowledgeLogEntry only this
}

# What include[] shows whole though only references are described: a field beside them -> field -> shape, or [shape].
INCLUDED: dict[str, dict[str, str]] = {
    "event_details": {"service": "Service", "incident": "Incident", "teams": "[Team]"},  # log entries
}

# Shapes that are described and left out where others of their kind are listed: shape -> the last one listed there.
LEFT_OUT: dict[str, str] = {"FieldValueChangeLogEntry": "UrgencyChangeLogEntry"}

THROUGH = "request: .*no such field is described"
AS_SENT = "what a sender puts into an event goes through as it is: orchestrations may route by it"

INCLUDE = r"request: the query parameter include\[\] must be one of"
BODY = "include[]=body brings what an incident was opened with; the field is described, the word for it is not"
SCOPES = r"answer: error\.(required|token)_scopes"

EXCEPTIONS: tuple[Leave, ...] = (
    Leave("*", "*", SCOPES, "a 403 about scopes names them; go-pagerduty reads both"),
    Leave("GET", "/incidents", INCLUDE, BODY),
    Leave("GET", "/incidents/{id}", INCLUDE, BODY),
    Leave("POST", "/enqueue", THROUGH, AS_SENT),
    Leave("POST", "/change/enqueue", THROUGH, AS_SENT),
    *(Leave(*one) for one in OF_THE_ACCOUNT),
)
