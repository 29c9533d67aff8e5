"""How many REST calls an account takes at least, whoever reads it and however."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tasks.backups.account.listings import LISTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tasks.backups.items import Item

PAGE: Final = 100
OF_EACH: Final = {
    "users": 2,  # hand-off rules, status update rules
    "schedules": 1,  # overrides
    "v3_schedules": 3,  # itself, custom shifts, overrides: the list has names only
    "services": 2,  # rules, dependencies
    "business_services": 1,  # dependencies
    "incident_types": 1,  # custom fields
    "event_orchestrations": 5,  # integrations, router, unrouted, global, cache variables
    "service_orchestrations": 2,  # the switch, cache variables
    "tags": 3,  # users, teams, policies
}
"""Calls for what PagerDuty shows of one object at a time."""
FIXED: Final = 1  # abilities


def least_calls(items: Iterable[Item]) -> int:
    """The calls that reading these takes where every page is full and nothing is asked twice."""
    counts: Counter[str] = Counter()
    members: Counter[str] = Counter()
    for item in items:
        counts[item.kind] += 1
        if item.kind == "team_memberships":
            members[item.document["team"]["id"]] += 1
    lists = sum(_pages(counts[listing.kind]) for listing in LISTINGS) + _pages(counts["users"])  # and their licences
    teams = counts["teams"] + sum(_pages(count) - 1 for count in members.values())
    values = counts["services"] if counts["service_custom_fields"] else 0
    # One of the services need not be asked for its dependencies: the others name it.
    spared = min(1, counts["services"] + counts["business_services"])
    return FIXED + lists + teams + values - spared + sum(each * counts[kind] for kind, each in OF_EACH.items())


def _pages(count: int) -> int:
    return max(1, -(-count // PAGE))
