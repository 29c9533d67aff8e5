from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.store import Entity

LOUD = ("critical", "error")


def urgency_of(service: Entity, severity: str, now: float) -> str:
    """How urgent a new incident of this service is: always the same, by support hours, or by the alert's severity."""
    rule: Mapping[str, Any] = service.get("incident_urgency_rule") or {}
    if rule.get("type") == "use_support_hours":
        part = "during_support_hours" if _in_hours(service.get("support_hours") or {}, now) else "outside_support_hours"
        rule = rule.get(part) or {}
    urgency = rule.get("urgency") or "high"
    if urgency != "severity_based":
        return str(urgency)
    return "high" if not severity or severity in LOUD else "low"


def _in_hours(hours: Mapping[str, Any], now: float) -> bool:
    if not hours:
        return True
    local = datetime.fromtimestamp(now, ZoneInfo(hours.get("time_zone") or "UTC"))
    start, end = (
        time.fromisoformat(hours.get(name) or default)
        for name, default in (("start_time", "00:00:00"), ("end_time", "23:59:59"))
    )
    return local.isoweekday() in (hours.get("days_of_week") or range(1, 8)) and start <= local.time() <= end
