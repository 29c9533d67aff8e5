"""Tags, and what bears them: users, teams and escalation policies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from deploy.sandbox.crud import entity_of, routes
from deploy.sandbox.fields import Reading, each, fields, one_of, refers_to, text
from deploy.sandbox.names import described, reference, resolve
from deploy.sandbox.paging import classic
from deploy.sandbox.request import invalid
from deploy.sandbox.resource import Resource, known, show

if TYPE_CHECKING:
    from deploy.sandbox.request import Handler, Request, Routes
    from deploy.sandbox.store import Entity

BEARERS = {"users": "user", "teams": "team", "escalation_policies": "escalation_policy"}
LONGEST = 191
CHANGES = fields(
    {
        "add": each(
            fields({"type": one_of("tag", "tag_reference"), "label": text(LONGEST, 1), "id": text()}, ("type",))
        ),
        "remove": each(fields({"type": one_of("tag_reference"), "id": text()}, ("type", "id"))),
    }
)
TAGS = known(
    Resource(
        "tags",
        "tag",
        fields={"label": text(LONGEST, 1)},
        required=("label",),
        hidden=("tagged",),
        parts={"tagged": each(refers_to(*BEARERS.values()))},
        unique=("label",),
        search="label",
    )
)


def change_tags(kind: str, request: Request) -> dict[str, Any]:
    """Tags put on and taken off; a new label makes a new tag. Nothing changes where one tag named does not exist."""
    bearer = reference(BEARERS[kind], entity_of(request, kind)["id"])
    reading = Reading(request.store)
    asked = CHANGES(request.body(), "body", reading)
    if not reading.problems:
        reading.problems += [
            "Label can't be blank" for one in asked.get("add", ()) if one["type"] == "tag" and "label" not in one
        ]
        named = [one for one in (*asked.get("add", ()), *asked.get("remove", ())) if one["type"] == "tag_reference"]
        reading.problems += [f"Tag {one.get('id')} was not found" for one in named if not _tag(request, one)]
    if reading.problems:
        raise invalid(*reading.problems)
    for one in asked.get("add", ()):
        tag = _tag(request, one) or request.store.add("tags", {"label": one["label"]})
        tag["tagged"] = [*(each for each in tag.get("tagged", ()) if each != bearer), bearer]
    for one in asked.get("remove", ()):
        found = _tag(request, one) or {}
        found["tagged"] = [each for each in found.get("tagged", ()) if each != bearer]
    return {}


def tags_of(kind: str, request: Request) -> dict[str, Any]:
    """The tags an object bears."""
    bearer = reference(BEARERS[kind], entity_of(request, kind)["id"])
    found = [one for one in request.store.all("tags") if bearer in one.get("tagged", ())]
    return classic(request, "tags", found, lambda one: show(request, TAGS, one))


def bearers(kind: str, request: Request) -> dict[str, Any]:
    """Who or what bears a tag."""
    tagged = entity_of(request, "tags").get("tagged", ())
    found = [one for one in tagged if one["type"] == f"{BEARERS[kind]}_reference" and resolve(request.store, one)]
    return classic(request, kind, found, lambda one: described(request.store, one, request.base))


def _tag(request: Request, asked: Entity) -> Entity | None:
    if asked["type"] == "tag_reference":
        return request.store.get("tags", asked.get("id") or "")
    return next((one for one in request.store.all("tags") if one["label"] == asked.get("label")), None)


def _of_bearers() -> Routes:
    made: dict[tuple[str, str], Handler] = {}
    for kind in BEARERS:
        made["POST", f"/{kind}/{{id}}/change_tags"] = partial(change_tags, kind)
        made["GET", f"/{kind}/{{id}}/tags"] = partial(tags_of, kind)
        made["GET", f"/tags/{{id}}/{kind}"] = partial(bearers, kind)
    return made


ROUTES: Routes = {**routes(TAGS, ("list", "get", "create", "delete")), **_of_bearers()}
