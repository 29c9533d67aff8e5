"""The audit trail: who changed what."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from deploy.sandbox.crud import entity_of
from deploy.sandbox.fields import each, fields, mapping, moment, nullable, text
from deploy.sandbox.names import NAMES, SUFFIX
from deploy.sandbox.paging import DEFAULT_LIMIT, LARGEST_LIMIT
from deploy.sandbox.request import instant, invalid
from deploy.sandbox.resource import Resource, known

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.sandbox.request import Handler, Request, Routes
    from deploy.sandbox.store import Entity

DAY = timedelta(days=1).total_seconds()
LONGEST = 31 * DAY
ABILITY = "audit_trail"
# What is asked for by kind goes by these names; both kinds of schedules are schedules.
ROOTS = {"v3_schedules": "schedules"}
OWN = {
    "/users/{id}": "users",
    "/teams/{id}": "teams",
    "/schedules/{id}": "schedules",
    "/v3/schedules/{id}": "v3_schedules",
    "/escalation_policies/{id}": "escalation_policies",
    "/services/{id}": "services",
}


known(
    Resource(
        "audit_records",
        "record",
        fields={
            "execution_time": moment,
            "actors": each(mapping),
            "method": fields({"type": text(), "truncated_token": nullable(text())}, ("type",)),
            "root_resource": fields({"id": text(), "type": text()}, ("id", "type")),
            "action": text(),
        },
        required=("execution_time", "actors", "method", "root_resource", "action"),
    )
)


def list_records(request: Request) -> dict[str, Any]:
    """The records that the query lets through, newest first; of the last day unless it says since when."""
    request.need(ABILITY)
    return _page(request, [one for one in request.store.all("audit_records") if _wanted(request, one)])


def records_of(kind: str) -> Handler:
    """What lists the records of one object."""

    def listed(request: Request) -> dict[str, Any]:
        request.need(ABILITY)
        name = entity_of(request, kind)["id"]
        return _page(request, [one for one in request.store.all("audit_records") if one["root_resource"]["id"] == name])

    return listed


def _page(request: Request, found: list[Entity]) -> dict[str, Any]:
    until = request.instant("until", request.now + 1)
    since = request.instant("since", min(until, request.now) - DAY)
    if until < since or until - since > LONGEST:
        raise invalid("until can't be before since, nor more than 31 days after it")
    limit = min(request.number("limit", DEFAULT_LIMIT, least=1), LARGEST_LIMIT)
    places = {one["id"]: place for place, one in enumerate(request.store.all("audit_records"))}
    cursor = request.first("cursor")
    if cursor and cursor not in places:
        raise invalid("cursor must be one that an earlier page named")
    rest = [
        one
        for one in reversed(found)
        if since <= instant(one["execution_time"], "execution_time") <= until
        and (not cursor or places[one["id"]] < places[cursor])
    ]
    page = rest[:limit]
    return {
        "records": [{"self": None, **one} for one in page],
        "response_metadata": None,
        "limit": limit,
        "next_cursor": page[-1]["id"] if len(rest) > limit else None,
    }


def _wanted(request: Request, one: Entity) -> bool:
    roots, actions = request.every("root_resource_types"), request.every("actions")
    actor_type, actor_id = request.first("actor_type"), request.first("actor_id")
    method_type, token = request.first("method_type"), request.first("method_truncated_token")
    if (actor_id and not actor_type) or (token and not method_type):
        raise invalid("actor_id needs actor_type, and method_truncated_token needs method_type")
    return (
        (not roots or _root(one) in roots)
        and (not actions or one["action"] in actions)
        and _any(one["actors"], actor_type, actor_id)
        and method_type in ("", one["method"]["type"])
        and token in ("", one["method"].get("truncated_token"))
    )


def _any(actors: Iterable[Entity], kind: str, name: str) -> bool:
    return not kind or any(one.get("type") == kind and name in ("", one.get("id")) for one in actors)


def _root(one: Entity) -> str:
    name = NAMES.get(str(one["root_resource"]["type"]).removesuffix(SUFFIX))
    return ROOTS.get(name.collection, name.collection) if name else ""


ROUTES: Routes = {
    ("GET", "/audit/records"): list_records,
    **{("GET", f"{path}/audit/records"): records_of(kind) for path, kind in OWN.items()},
}
