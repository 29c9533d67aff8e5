"""Who is on call: GET /oncalls."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from deploy.sandbox.names import reference
from deploy.sandbox.oncall import OnCall, entries
from deploy.sandbox.paging import classic
from deploy.sandbox.rendering import asked_zone, shown_at
from deploy.sandbox.request import invalid
from deploy.sandbox.resource import show_part
from deploy.sandbox.shifts import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.sandbox.request import Request, Routes

AHEAD = timedelta(days=90).total_seconds()
INCLUDES = {"escalation_policies": "escalation_policy", "users": "user", "schedules": "schedule"}
NONE = "null"


def list_oncalls(request: Request) -> dict[str, Any]:
    """The entries that touch the time from `since` to `until`, which is now unless asked, at most 90 days ahead."""
    since = request.instant("since", request.now)
    until = request.instant("until", max(request.now, since))
    if until < since:
        raise invalid("until can't be before since")
    if until > request.now + AHEAD:
        raise invalid("until can't be more than 90 days in the future")
    found = [one for one in _entries(request, Span(since, until)) if _wanted(request, one)]
    found.sort(key=lambda one: (one.policy["id"], one.level, one.start or 0, one.user_id))
    zone = asked_zone(request, "UTC")
    return classic(request, "oncalls", list(_earliest(request, found)), lambda one: _shown(request, one, zone))


def _entries(request: Request, span: Span) -> Iterable[OnCall]:
    policies = request.every("escalation_policy_ids")
    for policy in request.store.all("escalation_policies"):
        if not policies or policy["id"] in policies:
            yield from entries(request.store, policy, span)


def _wanted(request: Request, one: OnCall) -> bool:
    users, schedules = request.every("user_ids"), request.every("schedule_ids")
    schedule = one.schedule["id"] if one.schedule else NONE
    return (not users or one.user_id in users) and (not schedules or schedule in schedules)


def _earliest(request: Request, found: Iterable[OnCall]) -> Iterable[OnCall]:
    if request.first("earliest") != "true":
        return found
    first: dict[tuple[str, int, str], OnCall] = {}
    for one in found:
        first.setdefault((one.policy["id"], one.level, one.user_id), one)
    return first.values()


def _shown(request: Request, one: OnCall, zone: str) -> dict[str, Any]:
    kind = "schedule" if one.schedule and "schedule_layers" in one.schedule else "schedule_v3"
    entry = {
        "escalation_policy": reference("escalation_policy", one.policy["id"]),
        "escalation_level": one.level,
        "schedule": reference(kind, one.schedule["id"]) if one.schedule else None,
        "user": reference("user", one.user_id),
        "start": None if one.start is None else shown_at(one.start, zone),
        "end": None if one.end is None else shown_at(one.end, zone),
    }
    return show_part(request, entry, {name: path for name, path in INCLUDES.items() if request.includes(name)})


ROUTES: Routes = {("GET", "/oncalls"): list_oncalls}
