from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from deploy.sandbox.alerts import Trigger
from deploy.sandbox.incidents import Acknowledgement, Incident
from deploy.sandbox.intake import agent_of
from deploy.sandbox.life import account_of

if TYPE_CHECKING:
    from deploy.sandbox.account import Integration
    from deploy.sandbox.journal import Agent
    from deploy.sandbox.store import Entity
    from deploy.sandbox.world import World

DAY = 86_400.0
MOST = 100_000
ACKNOWLEDGED_AFTER = 60.0
RESOLVED_AFTER = 120.0


class Planted(BaseModel):
    """POST /_sandbox/incidents. `{n}` in title and dedup key is the incident's place, from 1."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(ge=1, le=MOST)
    service: str = Field(min_length=1)
    since: datetime | None = None
    until: datetime | None = None
    status: str = Field("triggered", pattern="^(triggered|acknowledged|resolved)$")
    urgency: str = Field("high", pattern="^(high|low)$")
    severity: str = Field("critical", pattern="^(critical|error|warning|info)$")
    title: str = Field("planted {n}", min_length=1)
    dedup_key: str = Field("planted/{n}", min_length=1)


class PlantingError(ValueError):
    """The incidents cannot be planted; the message says why."""


def plant(world: World, asked: Planted) -> dict[str, object]:
    """Put incidents of the past there, spread evenly over the time from `since` to `until` (the last day).

    Each has one alert by the service's first integration, or none if it has no integration. Nobody is told, nobody
    is called and nothing falls due: they are what was there before anybody looked.
    """
    service = _service(world, asked.service)
    door = next((one for one in world.account.doors() if one.service_id == service["id"]), None)
    until = _epoch(asked.until) if asked.until else world.clock.now()
    since = _epoch(asked.since) if asked.since else until - DAY
    if since > until:
        raise PlantingError("since must not be after until")
    step = (until - since) / asked.count
    made = [_one(world, asked, service, door, place, since + step * (place - 1)) for place in range(1, asked.count + 1)]
    return {"count": len(made), "first": made[0].id, "last": made[-1].id}


def _epoch(at: datetime) -> float:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _service(world: World, name: str) -> Entity:
    found = world.store.get("services", name)
    found = found or next((one for one in world.account.services if one["name"] == name), None)
    if found is None:
        raise PlantingError("no such service; name one of the account's by name or id")
    return found


def _one(world: World, asked: Planted, service: Entity, door: Integration | None, place: int, at: float) -> Incident:
    by = agent_of(door) if door else account_of(service["id"], "api")
    title, key = (text.replace("{n}", str(place)) for text in (asked.title, asked.dedup_key))
    incident = Incident(world.incidents.next_number(), service["id"], title, by, at, at, at, by, urgency=asked.urgency)
    policy = service.get("escalation_policy")
    if policy:
        incident.policy_id = policy["id"]
    world.incidents.add(incident)
    alert = world.incidents.new_alert(door, key, Trigger(title, asked.severity, {}, ()), at) if door else None
    entry = world.journal.write(at, "trigger_log_entry", incident, by, alert)
    if alert is not None:
        alert.incident, alert.entry = incident, entry
        incident.alerts.append(alert)
    if asked.status != "triggered":
        _acknowledge(world, incident, by, at + ACKNOWLEDGED_AFTER)
    if asked.status == "resolved":
        _resolve(world, incident, by, at + RESOLVED_AFTER)
    return incident


def _acknowledge(world: World, incident: Incident, by: Agent, at: float) -> None:
    incident.status, incident.acknowledgements = "acknowledged", (Acknowledgement(at, by),)
    incident.updated_at = incident.changed_at = at
    world.journal.write(at, "acknowledge_log_entry", incident, by)


def _resolve(world: World, incident: Incident, by: Agent, at: float) -> None:
    incident.status, incident.acknowledgements = "resolved", ()
    incident.updated_at = incident.changed_at = incident.resolved_at = at
    for alert in incident.alerts:
        world.incidents.close_alert(alert, at)
    world.incidents.close(incident)
    world.journal.write(at, "resolve_log_entry", incident, by)
