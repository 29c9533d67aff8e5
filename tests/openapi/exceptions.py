"""Where PagerDuty's description and its own behaviour part, each with the reason why we go with the behaviour."""

from __future__ import annotations

from typing import NamedTuple


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
    "alert_grouping": "null where nothing is grouped; the description's examples only show groups",
    "html_url": "null in the description's own examples",
    "incident_key": "the guide: incidents with alerts do not have an incident key",
    "next_cursor": "null in the description's own examples",
    "priority": "null in the description's own examples: no priority was given",
    "resolve_reason": "null in the description's own examples",
    "resolved_at": "null in the description's own examples: not resolved yet",
    "self": "null in the description's own examples",
}

THROUGH = "request: .*no such field is described"
AS_SENT = "what a sender puts into an event goes through as it is: orchestrations may route by it"

EXCEPTIONS: tuple[Leave, ...] = (
    Leave("POST", "/enqueue", THROUGH, AS_SENT),
    Leave("POST", "/change/enqueue", THROUGH, AS_SENT),
)
