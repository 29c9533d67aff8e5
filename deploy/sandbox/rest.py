from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from deploy.sandbox.call import Answer, Call, Outcome, to_json
from deploy.sandbox.endpoint import NOT_FOUND, Endpoint
from deploy.sandbox.shapes import alert_json, incident_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.limits import Quota
    from deploy.sandbox.world import World

    Parameters: TypeAlias = Mapping[str, Sequence[str]]

Item = TypeVar("Item")

DEFAULT_LIMIT = 25
LARGEST_LIMIT = 100
FURTHEST = 10_000
DEFAULT_RANGE = timedelta(days=30)
LONGEST_RANGE = timedelta(days=184)
RATE_LIMITED = to_json({"error": {"message": "Rate Limit Exceeded", "code": 2020}})
TOO_FAR = (
    "Offset+limit exceeds maximum allowed value of 10000. Please try to refine your search to reduce the number of "
    "records returned."
)


class ParametersError(ValueError):
    """The query cannot be answered; arguments are the API's code, its message and the reason."""


class RestEndpoint(Endpoint):
    """What all REST paths share: the token, the rate limit and its headers."""

    methods = ("GET",)

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, call: Call) -> Answer:
        """Check the token and the limit, then look the answer up."""
        token = _token(call)
        if not token.startswith("Bearer ") and not self._world.account.accepts(token):
            return _refused(401, 2006, "Authentication failed", "Send the header Authorization: Token token=<key>")
        quota = self._world.rest_window.admit(token, self._world.clock.now())
        if quota is not None and not quota.admitted:
            return Answer(429, RATE_LIMITED, Outcome.THROTTLED, _headers(quota))
        answer = self._find(call)
        if quota is not None:
            answer.headers = _headers(quota)
        return answer

    def throttled(self, *, headers: bool | None) -> Answer:
        """The 429 with its headers and body; without both where the fault wants it bare."""
        if headers is False:
            return Answer(429, b"", Outcome.THROTTLED)
        named = ((b"ratelimit-limit", b"960"), (b"ratelimit-remaining", b"0"), (b"ratelimit-reset", b"30"))
        return Answer(429, RATE_LIMITED, Outcome.THROTTLED, named)

    def _find(self, call: Call) -> Answer:
        try:
            found = self.find(call, call.parameters())
        except ParametersError as error:
            code, message, reason = error.args
            return _refused(400, code, message, reason)
        return Answer(404, NOT_FOUND, Outcome.READ) if found is None else Answer(200, to_json(found), Outcome.READ)

    def find(self, call: Call, parameters: Parameters) -> dict[str, object] | None:
        """The body to answer with, or None where there is nothing of that id."""
        raise NotImplementedError


class ListIncidents(RestEndpoint):
    """GET /incidents."""

    def find(self, call: Call, parameters: Parameters) -> dict[str, object]:
        """One page of the incidents the query asks for, oldest first."""
        found = list(self._matching(parameters))
        page, frame = _page(found, parameters)
        return {"incidents": [incident_json(one, base(call)) for one in page], **frame}

    def _matching(self, parameters: Parameters) -> Iterable[Incident]:
        since, until = _range(parameters, self._world.clock.now())
        statuses, services = parameters.get("statuses[]"), parameters.get("service_ids[]")
        urgencies = parameters.get("urgencies[]", ("high",))
        if "incident_key" in parameters:
            key = parameters["incident_key"][0]
            # Seen with the real one: an empty key answers with every open incident.
            candidates = [one for one in self._world.incidents.all() if (one.dedup_key == key if key else one.is_open)]
        else:
            candidates = list(self._world.incidents.all())
        for one in candidates:
            if (
                since <= one.created_at <= until
                and (not statuses or one.status in statuses)
                and (not services or one.integration.service_id in services)
                and "high" in urgencies
            ):
                yield one


class GetIncident(RestEndpoint):
    """GET /incidents/{id}."""

    def find(self, call: Call, parameters: Parameters) -> dict[str, object] | None:  # noqa: ARG002 - includes nothing
        """The incident."""
        incident = self._world.incidents.get(call.path.split("/")[2])
        return None if incident is None else {"incident": incident_json(incident, base(call))}


class ListAlerts(RestEndpoint):
    """GET /incidents/{id}/alerts."""

    def find(self, call: Call, parameters: Parameters) -> dict[str, object] | None:
        """The incident's one alert, if the filters let it through."""
        incident = self._world.incidents.get(call.path.split("/")[2])
        if incident is None:
            return None
        alert = alert_json(incident, base(call))
        statuses, keys = parameters.get("statuses[]"), parameters.get("alert_key")
        fits = (not statuses or alert["status"] in statuses) and (not keys or alert["alert_key"] in keys)
        page, frame = _page([alert] if fits else [], parameters)
        return {"alerts": list(page), **frame}


def base(call: Call) -> str:
    """The address the caller used, for the links in answers."""
    return f"http://{call.header(b'host')}"


def _token(call: Call) -> str:
    header = call.header(b"authorization")
    return header if header.startswith("Bearer ") else header.removeprefix("Token token=").strip('"')


def _headers(quota: Quota) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"ratelimit-limit", str(quota.limit).encode()),
        (b"ratelimit-remaining", str(quota.remaining).encode()),
        (b"ratelimit-reset", str(quota.reset).encode()),
    )


def _refused(status: int, code: int, message: str, reason: str) -> Answer:
    body = {"error": {"message": message, "code": code, "errors": [reason]}}
    return Answer(status, to_json(body), Outcome.INVALID)


def _page(found: Sequence[Item], parameters: Parameters) -> tuple[Sequence[Item], dict[str, object]]:
    limit = min(_number(parameters, "limit", DEFAULT_LIMIT, least=1), LARGEST_LIMIT)
    offset = _number(parameters, "offset", 0, least=0)
    if offset + limit > FURTHEST:
        raise ParametersError(2002, "Arguments Caused Error", TOO_FAR)
    total = len(found) if parameters.get("total", [""])[0] == "true" else None
    return found[offset : offset + limit], {
        "limit": limit,
        "offset": offset,
        "more": offset + limit < len(found),
        "total": total,
    }


def _number(parameters: Parameters, name: str, default: int, *, least: int) -> int:
    raw = parameters.get(name, (str(default),))[0]
    if not raw.isdecimal() or int(raw) < least:
        raise ParametersError(2001, "Invalid Input Provided", f"{name} must be a whole number, at least {least}")
    return int(raw)


def _range(parameters: Parameters, now: float) -> tuple[float, float]:
    if parameters.get("date_range", [""])[0] == "all":
        return 0.0, float("inf")
    until = _instant(parameters, "until", datetime.fromtimestamp(now, UTC))
    since = _instant(parameters, "since", until - DEFAULT_RANGE)
    if until - since > LONGEST_RANGE:
        raise ParametersError(2001, "Invalid Input Provided", "The date range must not be longer than 6 months")
    return since.timestamp(), until.timestamp()


def _instant(parameters: Parameters, name: str, default: datetime) -> datetime:
    raw = parameters.get(name, ("",))[0]
    try:
        instant = datetime.fromisoformat(raw) if raw else default
    except ValueError:
        raise ParametersError(2001, "Invalid Input Provided", f"{name} must be an ISO 8601 date") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
