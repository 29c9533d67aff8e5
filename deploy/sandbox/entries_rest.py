from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.acting import acting_user, incident_of
from deploy.sandbox.entry_shapes import OVERVIEW, entry_json, notification_json
from deploy.sandbox.incidents_list import time_range
from deploy.sandbox.paging import classic
from deploy.sandbox.references import References, team_ids
from deploy.sandbox.request import Reply, invalid, not_found
from deploy.sandbox.shapes import incident_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.sandbox.journal import Entry
    from deploy.sandbox.request import Request, Routes

CHANGEABLE = ("web_trigger", "mobile")
LONGEST_NOTIFICATIONS = 93 * 86_400


def list_entries(request: Request) -> dict[str, Any]:
    """One page of the account's log, newest first."""
    teams = frozenset(request.every("team_ids"))
    since, until = time_range(request)
    found: Iterable[Entry] = request.world.journal.between(since, min(until, request.horizon()))
    if teams:
        found = (one for one in found if not teams.isdisjoint(team_ids(request.store, one.incident)))
    return _page(request, found)


def list_incident_entries(request: Request) -> dict[str, Any]:
    """One page of the incident's log, newest first; without since and until all of it."""
    since, until = request.instant("since", 0.0), request.instant("until", float("inf"))
    until = min(until, request.horizon())
    return _page(request, (one for one in incident_of(request).entries if since <= one.at <= until))


def get_entry(request: Request) -> dict[str, Any]:
    """One log entry, its channel whole."""
    entry = request.world.journal.get(request.path["id"])
    if entry is None:
        raise not_found()
    return {"log_entry": _shown(request, entry, frozenset(request.every("include")) | {"channels"})}


def change_channel(request: Request) -> Reply:
    """202: the details of what somebody opened by hand read differently from now on."""
    acting_user(request)
    entry, channel = request.world.journal.get(request.path["id"]), request.wrapped("channel")
    if entry is None:
        raise not_found()
    known = entry.more.get("channel") or {}
    if channel.get("type") not in CHANGEABLE or channel["type"] != known.get("type"):
        raise invalid("The channel's type must be that of the log entry, web_trigger or mobile")
    if not isinstance(channel.get("details"), str):
        raise invalid("Details can't be blank")
    entry.more = {**entry.more, "channel": {**known, "details": channel["details"]}}
    return Reply(202)


def list_notifications(request: Request) -> dict[str, Any]:
    """One page of the calls that were made, oldest first."""
    if not (request.first("since") and request.first("until")):
        raise invalid("since and until are required")
    since, until = request.instant("since", 0.0), request.instant("until", 0.0)
    if until - since > LONGEST_NOTIFICATIONS:
        raise invalid("The date range must be shorter than 3 months")
    kind = request.first("filter", "email_notification")
    found = [
        one
        for one in request.world.journal.between(since, until)
        if one.kind == "notify_log_entry" and kind == "email_notification"
    ]
    names = References.of(request)
    return classic(request, "notifications", found, lambda one: notification_json(names, one))


ROUTES: Routes = {
    ("GET", "/log_entries"): list_entries,
    ("GET", "/log_entries/{id}"): get_entry,
    ("PUT", "/log_entries/{id}/channel"): change_channel,
    ("GET", "/incidents/{id}/log_entries"): list_incident_entries,
    ("GET", "/notifications"): list_notifications,
}


def _page(request: Request, entries: Iterable[Entry]) -> dict[str, Any]:
    overview = request.first("is_overview") == "true"
    found = [one for one in entries if not overview or one.kind in OVERVIEW]
    found.reverse()
    include = frozenset(request.every("include"))
    return classic(request, "log_entries", found, lambda one: _shown(request, one, include))


def _shown(request: Request, entry: Entry, include: frozenset[str]) -> dict[str, Any]:
    names = References.of(request)
    shown = entry_json(names, entry, include)
    if "incidents" in include:
        shown["incident"] = incident_json(names, entry.incident)
    return shown
