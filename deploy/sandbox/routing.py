"""Where an event orchestration's router sends an event."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deploy.sandbox.pcl import matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.account import Integration
    from deploy.sandbox.store import Store

UNROUTED = "unrouted"


def route(store: Store, door: Integration, event: Mapping[str, Any]) -> Integration | None:
    """The orchestration's door as one of the service the event goes to; None where it goes to none."""
    orchestration = store.get("event_orchestrations", door.orchestration_id) or {}
    path = orchestration.get("router") or {}
    rules = [rule for one in path.get("sets", ())[:1] for rule in one.get("rules", ())]
    open_rules = (rule for rule in rules if not rule.get("disabled") and matches(rule.get("conditions") or (), event))
    deciding = next(open_rules, path.get("catch_all") or {})
    service = store.get("services", (deciding.get("actions") or {}).get("route_to", UNROUTED))
    return None if service is None else replace(door, service_id=service["id"], service_name=service["name"])
