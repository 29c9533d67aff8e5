"""What is done about PagerDuty's incidents, put together of what several capabilities know: a part of the wiring beside `runtime`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.alerts.maintenance import Maintenance, places_in
from tasks.alerts.rule_store import RuleStore
from tasks.incidents.wiring import IncidentWiring
from tasks.webhooks.incidents import observation_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.runtime import Runtime


def incident_wiring(runtime: Runtime) -> IncidentWiring:
    """Actions on incidents; our alerts hear at once of those that are theirs, with or without webhooks."""

    def hear(incidents: Sequence[Mapping[str, Any]]) -> None:
        ids = [str(incident["id"]) for incident in incidents]
        known = runtime.client.hmget(runtime.keys.incidents, ids) if ids else []
        ours = [incident for incident, lines in zip(incidents, known, strict=True) if lines]
        runtime.answers.observe_many(observation_of(incident) for incident in ours)

    return IncidentWiring(runtime.client, runtime.keys, runtime.rest, runtime.settings, runtime.errors, hear)


def maintenance(runtime: Runtime) -> Maintenance:
    """What takes over PagerDuty's maintenance windows."""
    store = RuleStore(runtime.client, runtime.keys)
    return Maintenance(runtime.rest, store, runtime.clock, places_in(runtime.settings))
