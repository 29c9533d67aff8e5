"""Analytics of incidents: figures over all, and each incident by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import mean, quantiles
from typing import TYPE_CHECKING, Any

from deploy.sandbox.request import instant, invalid
from deploy.sandbox.zones import known_zone, time_zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity, Store

UNITS = ("day", "week", "month")
DEFAULT_LIMIT, LARGEST_LIMIT = 100, 1_000
MAJOR = 2
# Percentiles are told of all incidents together only.
PARTS = (50, 75, 90, 95)
METRICS = "/analytics/metrics/incidents"
COUNTED_BY = {"services": "service", "teams": "team", "escalation_policies": "escalation_policy"}
# Kinds of log entries -> what they are counted as.
COUNTED = {
    "acknowledge_log_entry": "acknowledgement_count",
    "assign_log_entry": "reassignment_count",
    "escalate_log_entry": "escalation_count",
    "notify_log_entry": "total_notifications",
}


def metrics(kind: str, request: Request) -> dict[str, Any]:
    """Figures over the incidents that the filters let through, all together or by day, week or month.

    `kind` is what they are counted by: service, team, escalation_policy, or nothing.
    """
    request.need("analytics")
    asked = _asked(request)
    unit = asked.get("aggregate_unit")
    if unit is not None and unit not in UNITS:
        raise invalid(f"aggregate_unit must be one of {', '.join(UNITS)}")
    groups: dict[tuple[str, str, str], list[Entity]] = {}
    for one in _matching(request, asked):
        row = _row(request.store, one)
        start = _start(one.created_at, unit, asked["time_zone"])
        by = (row[f"{kind}_id"] or "", row[f"{kind}_name"] or "") if kind else ("", "")
        groups.setdefault((start, *by), []).append(row)
    data = [
        {
            **({"range_start": start} if unit else {}),
            **({f"{kind}_id": name, f"{kind}_name": title} if kind else {}),
            **_figures(rows, parts=PARTS if request.call.path == f"{METRICS}/all" else ()),
        }
        for (start, name, title), rows in sorted(groups.items())
    ]
    return {
        "data": data,
        "filters": asked.get("filters", {}),
        "time_zone": asked["time_zone"],
        "order": asked.get("order", "desc"),
        "order_by": asked.get("order_by", "total_incident_count"),
        **({"aggregate_unit": unit} if unit else {}),
    }


def raw(request: Request) -> dict[str, Any]:
    """A batch of incidents with their figures, after or before the one that the cursor names."""
    request.need("analytics")
    asked = _asked(request)
    order, by = asked.get("order", "desc"), asked.get("order_by", "created_at")
    if order not in ("asc", "desc") or by not in ("created_at", "seconds_to_resolve"):
        raise invalid("order must be asc or desc, order_by created_at or seconds_to_resolve")
    limit = asked.get("limit", DEFAULT_LIMIT)
    if not isinstance(limit, int) or not 1 <= limit <= LARGEST_LIMIT:
        raise invalid(f"limit must be from 1 to {LARGEST_LIMIT}")
    found = [_row(request.store, one) for one in _matching(request, asked)]
    found.sort(key=lambda row: (row[by] or 0, row["incident_number"]), reverse=order == "desc")
    start = _place(found, asked, limit)
    page = found[start : start + limit]
    return {
        "first": page[0]["id"] if page else "",
        "last": page[-1]["id"] if page else "",
        "limit": limit,
        "more": start + limit < len(found),
        "order": order,
        "order_by": by,
        "filters": asked.get("filters", {}),
        "time_zone": asked["time_zone"],
        "data": page,
    }


def _place(found: Sequence[Entity], asked: Entity, limit: int) -> int:
    names = [one["id"] for one in found]
    after, before = asked.get("starting_after"), asked.get("ending_before")
    if (after and after not in names) or (before and before not in names):
        raise invalid("starting_after and ending_before must be what an earlier batch named")
    if after:
        return names.index(after) + 1
    return max(0, names.index(before) - limit) if before else 0


def _asked(request: Request) -> Entity:
    body = request.body() if request.call.body else {}
    zone = body.get("time_zone", "Etc/UTC")
    if not isinstance(zone, str) or not known_zone(zone):
        raise invalid("time_zone must be a time zone")
    if not isinstance(body.get("filters", {}), dict):
        raise invalid("filters must be an object")
    return {**body, "time_zone": zone}


def _matching(request: Request, asked: Entity) -> Iterable[Incident]:
    filters = asked.get("filters", {})
    since, until, updated = (
        instant(filters[name], name) if filters.get(name) else default
        for name, default in (("created_at_start", 0.0), ("created_at_end", float("inf")), ("updated_after", 0.0))
    )
    for one in request.world.incidents.all():
        if since <= one.created_at < until and one.updated_at >= updated and _fits(request.store, one, filters):
            yield one


def _fits(store: Store, one: Incident, filters: Entity) -> bool:
    policy = store.get("escalation_policies", one.policy_id) or {}
    wanted = (
        ("service_ids", {one.service_id}),
        ("escalation_policy_ids", {one.policy_id}),
        ("team_ids", {team["id"] for team in policy.get("teams", ())}),
        ("priority_ids", {one.priority_id}),
        ("priority_names", {(store.get("priorities", one.priority_id) or {}).get("name")}),
    )
    if any(filters.get(name) and not set(filters[name]) & has for name, has in wanted):
        return False
    major = filters.get("major")
    return filters.get("urgency") in (None, one.urgency) and (major is None or major == _is_major(store, one))


def _is_major(store: Store, one: Incident) -> bool:
    highest = [priority["id"] for priority in store.all("priorities")][:MAJOR]
    return one.priority_id in highest


def _row(store: Store, one: Incident) -> Entity:
    service = store.get("services", one.service_id) or {}
    policy = store.get("escalation_policies", one.policy_id) or {}
    team: Entity = next(iter(policy.get("teams", ())), {})
    counts = {name: sum(entry.kind == kind for entry in one.entries) for kind, name in COUNTED.items()}
    users = list(dict.fromkeys(each.user_id for each in one.assignments))
    acknowledged = [entry for entry in one.entries if entry.kind == "acknowledge_log_entry"]
    priority = store.get("priorities", one.priority_id) or {}
    return {
        "id": one.id,
        "incident_number": one.number,
        "description": one.title,
        "status": one.status,
        "urgency": one.urgency,
        "major": _is_major(store, one),
        "created_at": _written(one.created_at),
        "updated_at": _written(one.updated_at),
        "resolved_at": _written(one.resolved_at) if one.resolved_at else None,
        "service_id": one.service_id,
        "service_name": service.get("name", ""),
        "escalation_policy_id": policy.get("id", ""),
        "escalation_policy_name": policy.get("name", ""),
        "team_id": team.get("id"),
        "team_name": (store.get("teams", team.get("id", "")) or {}).get("name"),
        "priority_id": priority.get("id"),
        "priority_name": priority.get("name"),
        "assigned_user_ids": users,
        "assignment_count": len(users),
        "seconds_to_resolve": int(one.resolved_at - one.created_at) if one.resolved_at else None,
        "seconds_to_first_ack": int(acknowledged[0].at - one.created_at) if acknowledged else None,
        "auto_resolved": one.resolved_at is not None and one.changed_by.type != "user",
        **counts,
        "reassignment_count": max(0, counts["reassignment_count"] - 1),
    }


def _figures(rows: Sequence[Entity], parts: Sequence[int]) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "total_incident_count": len(rows),
        "total_incidents_acknowledged": sum(row["acknowledgement_count"] > 0 for row in rows),
        "total_incidents_auto_resolved": sum(row["auto_resolved"] for row in rows),
        "total_incidents_reassigned": sum(row["reassignment_count"] > 0 for row in rows),
        "total_escalation_count": sum(row["escalation_count"] for row in rows),
        "total_notifications": sum(row["total_notifications"] for row in rows),
        "mean_assignment_count": round(mean(row["assignment_count"] for row in rows)),
    }
    for name in ("seconds_to_first_ack", "seconds_to_resolve"):
        values = [row[name] for row in rows if row[name] is not None]
        if values:
            figures[f"mean_{name}"] = round(mean(values))
            figures.update({f"p{part}_{name}": _percentile(values, part) for part in parts})
    return figures


def _percentile(values: Sequence[int], part: int) -> int:
    return values[0] if len(values) == 1 else round(quantiles(values, n=100, method="inclusive")[part - 1])


def _start(at: float, unit: str | None, zone: str) -> str:
    if unit is None:
        return ""
    day = datetime.fromtimestamp(at, time_zone(zone)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if unit == "week":
        day -= timedelta(days=day.weekday())
    return (day.replace(day=1) if unit == "month" else day).isoformat()


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat(timespec="seconds")


ROUTES: Routes = {
    ("POST", f"{METRICS}/all"): partial(metrics, ""),
    **{("POST", f"{METRICS}/{kind}"): partial(metrics, noun) for kind, noun in COUNTED_BY.items()},
    **{("POST", f"{METRICS}/{kind}/all"): partial(metrics, "") for kind in COUNTED_BY},
    ("POST", "/analytics/raw/incidents"): raw,
}
