"""Teams, their members and their escalation policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.audit import note
from deploy.sandbox.crud import entity_of, routes
from deploy.sandbox.fields import each, fields, one_of, refers_to, text
from deploy.sandbox.names import ids, reference
from deploy.sandbox.paging import classic
from deploy.sandbox.relations import targets
from deploy.sandbox.request import Reply, RestError, invalid, not_found
from deploy.sandbox.resource import RESOURCES, Resource, known, show

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

ROLES = ("observer", "responder", "manager")
WATCHERS = ("read_only_user", "read_only_limited_user")


def _parent(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:
    name = (new.get("parent") or {}).get("id")
    while name:
        if old is not None and name == old["id"]:
            yield "Parent can't be the team itself or one below it"
            return
        name = ((request.store.get("teams", name) or {}).get("parent") or {}).get("id")


def _free(request: Request, team: Entity) -> None:
    """A team that policies, schedules, services or other teams belong to stays, unless they are given to another."""
    heir = request.first("reassignment_team")
    if heir and (heir == team["id"] or request.store.get("teams", heir) is None):
        raise invalid("Reassignment team was not found")
    kinds = [kind for kind in ("escalation_policies", "schedules", "v3_schedules") if any(_of(request, kind, team))]
    below = [one for one in request.store.all("teams") if (one.get("parent") or {}).get("id") == team["id"]]
    if (kinds and not heir) or below:
        what = ", ".join([kind.replace("_", " ") for kind in kinds] + ["subteams"] * bool(below))
        raise RestError(400, 6006, "Team cannot be deleted as it has associations", f"It still has: {what}")


def _of(request: Request, kind: str, team: Entity) -> Iterable[Entity]:
    return (one for one in request.store.all(kind) if team["id"] in ids(one.get("teams", ())))


def _inherit(request: Request, old: Entity | None, new: Entity | None) -> None:
    """What a deleted team had goes to the team that was named for it."""
    if new is not None or old is None:
        return
    heir = request.first("reassignment_team")
    for kind in ("escalation_policies", "schedules", "v3_schedules"):
        for one in _of(request, kind, old):
            one["teams"] = [team for team in one["teams"] if team["id"] not in (old["id"], heir)]
            one["teams"].append(reference("team", heir))
    for one in request.store.all("business_services"):
        if (one.get("team") or {}).get("id") == old["id"]:
            one["team"] = None


TEAMS = known(
    Resource(
        "teams",
        "team",
        fields={
            "name": text(100, 1),
            "description": text(1024),
            "default_role": one_of("manager", "none"),
            "parent": refers_to("team"),
        },
        required=("name",),
        defaults={"description": None, "default_role": "manager"},
        hidden=("members",),
        parts={"members": each(fields({"user": refers_to("user"), "role": one_of(*ROLES)}, ("user", "role")))},
        unique=("name",),
        verify=_parent,
        guard=_free,
        changed=_inherit,
    )
)


def list_members(request: Request) -> dict[str, Any]:
    """The members of a team with their roles."""
    whole = request.includes("users")

    def show_member(member: Entity) -> dict[str, Any]:
        user = request.store.get("users", member["user"]["id"]) or {}
        shown = show(request, RESOURCES["users"], user)
        kept = shown if whole else {key: shown[key] for key in ("id", "summary", "self", "html_url")}
        return {"user": {**kept, "type": "user" if whole else "user_reference"}, "role": member["role"]}

    return classic(request, "members", entity_of(request, "teams").get("members", []), show_member)


def put_member(request: Request) -> Reply:
    """204: the user is a member of the team, in the role that the body names."""
    team, user = entity_of(request, "teams"), entity_of(request, "users", "user_id")
    role = request.body().get("role", "manager") if request.call.body else "manager"
    if role not in ROLES:
        raise invalid(f"Role must be one of {', '.join(ROLES)}")
    if user.get("role") in WATCHERS:
        raise invalid("A user who may only read can't be a member of a team")
    others = [one for one in team.get("members", ()) if one["user"]["id"] != user["id"]]
    team["members"] = [*others, {"user": reference("user", user["id"]), "role": role}]
    return _noted(request, "update", team, "user", user)


def remove_member(request: Request) -> Reply:
    """204: the user is no member any more. Refused while they are on one of the team's escalation policies."""
    team, user = entity_of(request, "teams"), entity_of(request, "users", "user_id")
    others = [one for one in team.get("members", ()) if one["user"]["id"] != user["id"]]
    if len(others) == len(team.get("members", ())):
        raise not_found()
    policies = _of(request, "escalation_policies", team)
    named = [one["name"] for one in policies if user["id"] in {target["id"] for target in targets(one)}]
    if named:
        raise invalid(f"User cannot be removed as they belong to an escalation policy on this team: {', '.join(named)}")
    team["members"] = others
    return _noted(request, "update", team, "user", user)


def put_policy(request: Request) -> Reply:
    """204: the escalation policy belongs to the team."""
    team, policy = entity_of(request, "teams"), entity_of(request, "escalation_policies", "escalation_policy_id")
    if team["id"] not in ids(policy.get("teams", ())):
        policy["teams"] = [*policy.get("teams", ()), reference("team", team["id"])]
    return _noted(request, "update", team, "escalation_policy", policy)


def remove_policy(request: Request) -> Reply:
    """204: the escalation policy does not belong to the team any more."""
    team, policy = entity_of(request, "teams"), entity_of(request, "escalation_policies", "escalation_policy_id")
    if team["id"] not in ids(policy.get("teams", ())):
        raise not_found()
    policy["teams"] = [one for one in policy["teams"] if one["id"] != team["id"]]
    return _noted(request, "update", team, "escalation_policy", policy)


def _noted(request: Request, action: str, team: Entity, kind: str, entity: Entity) -> Reply:
    note(request, action, reference("team", team["id"]), reference(kind, entity["id"]))
    return Reply(204)


ROUTES: Routes = {
    **routes(TEAMS),
    ("GET", "/teams/{id}/members"): list_members,
    ("PUT", "/teams/{id}/users/{user_id}"): put_member,
    ("DELETE", "/teams/{id}/users/{user_id}"): remove_member,
    ("PUT", "/teams/{id}/escalation_policies/{escalation_policy_id}"): put_policy,
    ("DELETE", "/teams/{id}/escalation_policies/{escalation_policy_id}"): remove_policy,
}
