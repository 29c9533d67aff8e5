from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from deploy.sandbox.paging import classic
from deploy.sandbox.references import References, team_ids
from deploy.sandbox.request import invalid
from deploy.sandbox.shapes import incident_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.request import Request, Routes

DEFAULT_RANGE = timedelta(days=30).total_seconds()
LONGEST_RANGE = timedelta(days=184).total_seconds()
STATUSES = ("triggered", "acknowledged", "resolved")
URGENCIES = ("high", "low")
MOST_SORTS = 2
SORTS: dict[str, Callable[[Incident], Any]] = {
    "incident_number": lambda one: one.number,
    "created_at": lambda one: one.created_at,
    "resolved_at": lambda one: one.resolved_at or 0.0,
    "urgency": lambda one: one.urgency == "high",
}


def list_incidents(request: Request) -> dict[str, Any]:
    """One page of the incidents the query asks for, oldest first unless it says otherwise."""
    in_order = request.world.incidents.in_order(matching(request))
    found = _sorted(in_order, request.query.get("sort_by") or request.every("sort_by"))
    names, include = References.of(request), frozenset(request.every("include"))
    return classic(request, "incidents", found, lambda one: incident_json(names, one, include))


ROUTES: Routes = {("GET", "/incidents"): list_incidents}


def time_range(request: Request) -> tuple[float, float]:
    """Since and until, in epoch seconds: the last month unless the query says otherwise, at most six months."""
    if request.first("date_range") == "all":
        return 0.0, float("inf")
    until = request.instant("until", request.now)
    since = request.instant("since", until - DEFAULT_RANGE)
    if until - since > LONGEST_RANGE:
        raise invalid("The date range must not be longer than 6 months")
    return since, until


def matching(request: Request) -> list[Incident]:
    """The incidents that the query's filters let through."""
    since, until = time_range(request)
    until = min(until, request.horizon())
    statuses = _known(request, "statuses", STATUSES)
    candidates: Iterable[Incident] = request.world.incidents.all()
    if statuses and "resolved" not in statuses:
        candidates = request.world.incidents.open()
    found = [one for one in candidates if since <= one.created_at <= until]
    if statuses:
        found = [one for one in found if one.status in statuses]
    for test in _tests(request):
        found = [one for one in found if test(one)]
    return found


def _tests(request: Request) -> Iterator[Callable[[Incident], bool]]:
    store = request.store
    services, teams, users = (frozenset(request.every(name)) for name in ("service_ids", "team_ids", "user_ids"))
    urgencies = _known(request, "urgencies", URGENCIES)
    if services:
        yield lambda one: one.service_id in services
    if urgencies:
        yield lambda one: one.urgency in urgencies
    if teams:
        yield lambda one: not teams.isdisjoint(team_ids(store, one))
    if users:
        yield lambda one: any(assignment.user_id in users for assignment in one.assignments)
    if "incident_key" in request.query:
        key = request.first("incident_key")
        # Seen with the real one: an empty key answers with every open incident.
        yield lambda one: one.has_key(key) if key else one.is_open


def _known(request: Request, name: str, choices: tuple[str, ...]) -> frozenset[str]:
    given = frozenset(request.every(name))
    if not given <= set(choices):
        raise invalid(f"{name}[] must be of: {', '.join(choices)}")
    return given


def _sorted(found: list[Incident], asked: Iterable[str]) -> list[Incident]:
    wanted = [part for value in asked for part in value.split(",") if part]
    if len(wanted) > MOST_SORTS:
        raise invalid(f"sort_by must name at most {MOST_SORTS} fields")
    for part in reversed(wanted):
        name, _, direction = part.partition(":")
        if name not in SORTS or direction not in ("", "asc", "desc"):
            raise invalid(f"sort_by must be of: {', '.join(SORTS)}, with :asc or :desc")
        found.sort(key=SORTS[name], reverse=direction == "desc")
    return found
