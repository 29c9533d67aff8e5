"""Business services, and which services support which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.audit import note
from deploy.sandbox.crud import entity_of, routes
from deploy.sandbox.fields import Reading, each, fields, nullable, refers_to, text
from deploy.sandbox.names import SUFFIX, reference
from deploy.sandbox.request import RestError, invalid
from deploy.sandbox.resource import Resource, known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

MOST_DEPENDENCIES = 2_000
ENDS = ("supporting_service", "dependent_service")
KINDS = {"service": "technical_service", "business_service": "business_service"}


def _cut(request: Request, old: Entity | None, new: Entity | None) -> None:
    """Its dependencies go with a business service."""
    if new is None and old is not None:
        for one in [one for one in request.store.all("service_dependencies") if old["id"] in _ends(one)]:
            request.store.remove("service_dependencies", one["id"])


def _team(request: Request, business: Entity) -> Mapping[str, Any]:
    team = business.get("team")
    return {"team": {**team, "self": f"{request.base}/teams/{team['id']}"} if team else None}


BUSINESSES = known(
    Resource(
        "business_services",
        "business_service",
        fields={
            "name": text(255, 1),
            "description": nullable(text()),
            "point_of_contact": nullable(text()),
            "team": nullable(refers_to("team", typed=False)),
        },
        required=("name",),
        defaults={"description": "", "point_of_contact": "", "team": None},
        computed=_team,
        unique=("name",),
        changed=_cut,
        most=5_000,
    )
)


DEPENDENCIES = known(
    Resource(
        "service_dependencies",
        "service_dependency",
        fields=dict.fromkeys(ENDS, refers_to("service", "business_service")),
        required=ENDS,
    )
)


def associate(request: Request) -> dict[str, Any]:
    """The dependencies as they are now kept; one that was there already is answered again."""
    asked = _read(request)
    new = [pair for pair in asked if _kept(request, pair) is None]
    if len(request.store.all("service_dependencies")) + len(new) > MOST_DEPENDENCIES:
        raise RestError(400, 2019, "Product limit reached", f"An account can have {MOST_DEPENDENCIES} dependencies")
    for pair in new:
        kept = request.store.add("service_dependencies", pair)
        _noted(request, "create", kept)
    return {"relationships": [_shown(one) for pair in asked if (one := _kept(request, pair))]}


def disassociate(request: Request) -> dict[str, Any]:
    """The dependencies that were; one that was not is refused, and then nothing changes."""
    found = [_kept(request, pair) for pair in _read(request)]
    gone = [one for one in found if one is not None]
    if len(gone) < len(found):
        raise invalid("One of the dependencies does not exist")
    for one in gone:
        request.store.remove("service_dependencies", one["id"])
        _noted(request, "delete", one)
    return {"relationships": [_shown(one) for one in gone]}


def of_service(request: Request) -> dict[str, Any]:
    """The dependencies of a technical service, in both directions."""
    return _of(request, entity_of(request, "services"))


def of_business(request: Request) -> dict[str, Any]:
    """The dependencies of a business service, in both directions."""
    return _of(request, entity_of(request, "business_services"))


def _of(request: Request, entity: Entity) -> dict[str, Any]:
    found = [one for one in request.store.all("service_dependencies") if entity["id"] in _ends(one)]
    return {"relationships": [_shown(one) for one in found]}


def _read(request: Request) -> list[Entity]:
    reading = Reading(request.store)
    read = each(fields(DEPENDENCIES.fields, ENDS), 1)
    listed = request.body().get("relationships")
    if isinstance(listed, list):
        listed = [{name: _plain(one.get(name)) for name in ENDS} if isinstance(one, dict) else one for one in listed]
    pairs: list[Entity] = read(listed, "relationships", reading)
    if reading.problems:
        raise invalid(*reading.problems)
    if any(pair[ENDS[0]] == pair[ENDS[1]] for pair in pairs):
        raise invalid("A service can't depend on itself")
    return pairs


def _plain(end: Any) -> Any:
    """Answers say technical_service where requests say service; both are taken."""
    if isinstance(end, dict) and str(end.get("type")).startswith("technical_service"):
        return {**end, "type": "service"}
    return end


def _kept(request: Request, pair: Entity) -> Entity | None:
    ends = [*_ends(pair)]
    return next((one for one in request.store.all("service_dependencies") if [*_ends(one)] == ends), None)


def _ends(one: Entity) -> Iterable[str]:
    return (one["supporting_service"]["id"], one["dependent_service"]["id"])


def _shown(one: Entity) -> dict[str, Any]:
    ends = {
        name: {"id": one[name]["id"], "type": f"{KINDS[one[name]['type'].removesuffix(SUFFIX)]}{SUFFIX}"}
        for name in ENDS
    }
    return {"id": one["id"], "type": "service_dependency", **ends}


def _noted(request: Request, action: str, one: Entity) -> None:
    note(request, action, one["dependent_service"], reference("service_dependency", one["id"]))


ROUTES: Routes = {
    **routes(BUSINESSES, created=200),
    ("POST", "/service_dependencies/associate"): associate,
    ("POST", "/service_dependencies/disassociate"): disassociate,
    ("GET", "/service_dependencies/technical_services/{id}"): of_service,
    ("GET", "/service_dependencies/business_services/{id}"): of_business,
}
