"""Who names whom in the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.sandbox.names import ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from deploy.sandbox.request import Request
    from deploy.sandbox.store import Entity, Store


def teams_of(request: Request, user_id: str) -> Sequence[Entity]:
    """The teams a user is a member of."""
    return request.once("members", lambda: _teams(request.store)).get(user_id, ())


def services_of(request: Request, policy_id: str) -> Sequence[Entity]:
    """The services an escalation policy answers for."""
    return request.grouped("services", "escalation_policy").get(policy_id, ())


def policies_of(request: Request, target_id: str) -> Sequence[Entity]:
    """The escalation policies that turn to a user or a schedule."""
    return request.once("targets", lambda: _policies(request.store)).get(target_id, ())


def targets(policy: Entity) -> Iterator[Entity]:
    """Everybody and everything a policy turns to, level by level."""
    for rule in policy["escalation_rules"]:
        yield from rule["targets"]


def users_on(schedule: Entity) -> list[Entity]:
    """The users a schedule's layers name, each once."""
    named = {
        user["user"]["id"]: user["user"] for layer in schedule.get("schedule_layers", ()) for user in layer["users"]
    }
    return list(named.values())


def schedules_naming(store: Store, user_id: str) -> Iterator[Entity]:
    """The schedules that a user has turns in."""
    yield from (one for one in store.all("schedules") if user_id in ids(users_on(one)))
    yield from (one for one in store.all("v3_schedules") if user_id in members(one))


def members(schedule: Entity) -> list[str]:
    """The ids of the users that the rotations of a v3 schedule name, each once."""
    return list(
        dict.fromkeys(
            member["user_id"]
            for rotation in schedule.get("rotations", ())
            for event in rotation["events"]
            for member in event["assignment_strategy"]["members"]
            if member["type"] == "user_member"
        )
    )


def _teams(store: Store) -> dict[str, list[Entity]]:
    found: dict[str, list[Entity]] = {}
    for team in store.all("teams"):
        for member in team.get("members", ()):
            found.setdefault(member["user"]["id"], []).append(team)
    return found


def _policies(store: Store) -> dict[str, list[Entity]]:
    found: dict[str, list[Entity]] = {}
    for policy in store.all("escalation_policies"):
        for target in dict.fromkeys(target["id"] for target in targets(policy)):
            found.setdefault(target, []).append(policy)
    return found
