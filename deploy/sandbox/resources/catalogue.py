"""What an account has and mostly only reads: vendors, extensions and their schemas, priorities, licences, abilities."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from deploy.sandbox.builtin import SOLD
from deploy.sandbox.crud import entity_of, routes
from deploy.sandbox.fields import anything, each, one_of, refers_to, text
from deploy.sandbox.names import described, reference
from deploy.sandbox.paging import classic
from deploy.sandbox.request import Reply, not_found
from deploy.sandbox.resource import OPENED, Resource, known, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

READ = ("list", "get")
SEATS = 5_000

VENDORS = known(Resource("vendors", "vendor"))
SCHEMAS = known(Resource("extension_schemas", "extension_schema", search="label", unseen=("html_url",)))
PRIORITIES = known(Resource("priorities", "priority"))
EXTENSIONS = known(
    Resource(
        "extensions",
        "extension",
        fields={
            "name": text(255, 1),
            "endpoint_url": text(),
            "extension_objects": each(refers_to("service"), 1),
            "extension_schema": refers_to("extension_schema"),
            "config": anything,
        },
        required=("name", "extension_objects", "extension_schema"),
        defaults={"endpoint_url": "", "config": {}, "temporarily_disabled": False},
        includes={"extension_objects": "extension_objects", "extension_schemas": "extension_schema"},
        filters={
            "extension_object_id": lambda _, extension: [one["id"] for one in extension["extension_objects"]],
            "extension_schema_id": lambda _, extension: [extension["extension_schema"]["id"]],
        },
    )
)
ADDONS = known(
    Resource(
        "addons",
        "addon",
        fields={
            "type": one_of("full_page_addon", "incident_show_addon"),
            "name": text(100, 1),
            "src": text(2048, 1),
        },
        required=("type", "name", "src"),
        computed=lambda _, addon: {"type": f"{addon['type']}_reference"},
        filters={"filter": lambda _, addon: [addon["type"]]},
        verify=lambda _, new, __: () if new["src"].startswith("https://") else ("Src must begin with https://",),
    )
)


def _seats(request: Request, license_: Entity) -> Mapping[str, Any]:
    used = request.once(
        "licences", lambda: Counter(license_of(request, one)["id"] for one in request.store.all("users"))
    )
    taken = used[license_["id"]]
    return {"current_value": taken, "allocations_available": max(0, SEATS - taken), "self": None, "html_url": None}


LICENSES = known(Resource("licenses", "license", computed=_seats))


def license_of(request: Request, user: Entity) -> Entity:
    """The licence a user has: their own, or the first that goes with their role."""
    own = request.store.get("licenses", (user.get("license") or {}).get("id", ""))
    fitting = (one for one in request.store.all("licenses") if user.get("role", "user") in one["valid_roles"])
    return own or next(fitting, next(iter(request.store.all("licenses"))))


def list_licenses(request: Request) -> dict[str, Any]:
    """All licences; there are no pages of them."""
    return {"licenses": [show(request, LICENSES, one) for one in request.store.all("licenses")]}


def get_license(request: Request) -> dict[str, Any]:
    """A user's licence."""
    return {"license": _bare(request, entity_of(request, "users"))}


def list_allocations(request: Request) -> dict[str, Any]:
    """Who has which licence."""

    def allocation(user: Entity) -> dict[str, Any]:
        named = described(request.store, reference("user", user["id"]), request.base)
        return {"license": _bare(request, user), "user": named, "allocated_at": OPENED}

    return classic(request, "license_allocations", list(request.store.all("users")), allocation)


def _bare(request: Request, user: Entity) -> dict[str, Any]:
    shown = show(request, LICENSES, license_of(request, user))
    return {key: value for key, value in shown.items() if key not in ("current_value", "allocations_available")}


def list_abilities(request: Request) -> dict[str, Any]:
    """The names of what the account has paid for."""
    return {"abilities": [name for name in SOLD if request.world.account.has_ability(name)]}


def has_ability(request: Request) -> Reply:
    """204 if the account has it, 402 if it has not, 404 if nobody has."""
    if not request.world.account.has_ability(request.path["id"]) and request.path["id"] not in SOLD:
        raise not_found()
    request.need(request.path["id"])
    return Reply(204)


def enable_extension(request: Request) -> dict[str, Any]:
    """The extension, which sends again."""
    extension = entity_of(request, "extensions")
    extension["temporarily_disabled"] = False
    return {"extension": show(request, EXTENSIONS, extension)}


ROUTES: Routes = {
    **routes(VENDORS, READ),
    **routes(SCHEMAS, READ),
    **routes(PRIORITIES, ("list",)),
    **routes(EXTENSIONS),
    **routes(ADDONS),
    ("POST", "/extensions/{id}/enable"): enable_extension,
    ("GET", "/licenses"): list_licenses,
    ("GET", "/license_allocations"): list_allocations,
    ("GET", "/users/{id}/license"): get_license,
    ("GET", "/abilities"): list_abilities,
    ("GET", "/abilities/{id}"): has_ability,
}
