from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy.sandbox.sharing import setting_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deploy.sandbox.alerts import Alert, Trigger
    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.store import Entity, Store

MOST_ALERTS = 1000
RECOMMENDED = 300
DAY = 86_400
# What `alert_grouping` of an incident calls the ways of grouping.
NAMES = {"time": "basic", "intelligent": "advanced", "content_based": "rules"}


@dataclass(frozen=True, slots=True)
class Grouping:
    """How alerts are grouped: within a service, or within all services of a setting (`scope` is its id).

    `window` is in seconds; 0 of `time` lasts until the incident is resolved.
    """

    scope: str
    way: str
    window: float
    fields: tuple[str, ...]
    any_field: bool

    def keys(self, trigger: Trigger) -> Iterator[str]:
        """What an alert must share with those before it: one of these."""
        if self.way != "content_based":
            yield ""
            return
        values = [(name, _value(trigger, name)) for name in self.fields]
        if self.any_field:
            yield from (f"{name}={value!r}" for name, value in values if value is not None)
        elif values and all(value is not None for _, value in values):
            yield repr(values)

    def takes(self, incident: Incident, now: float) -> bool:
        """Whether the incident's window is still open."""
        if not incident.is_open or not incident.alerts or len(incident.alerts) >= MOST_ALERTS:
            return False
        if self.way == "time":
            return not self.window or now <= incident.created_at + self.window
        return now <= min(incident.alerts[-1].created_at + self.window, incident.created_at + DAY)


class Groups:
    """Which open incident the next alert joins: the latest one of its kind whose window is still open.

    `time`: so long after the incident began. `intelligent`: so long after its latest alert, whatever the alert says.
    `content_based`: the same, where `all` or `any` of the fields agree.
    """

    def __init__(self) -> None:
        self._latest: dict[tuple[str, str], Incident] = {}

    def find(self, grouping: Grouping, trigger: Trigger, now: float) -> Incident | None:
        """The open incident that this trigger's alert belongs into, or None if it begins its own."""
        for key in grouping.keys(trigger):
            incident = self._latest.get((grouping.scope, key))
            if incident is not None and grouping.takes(incident, now):
                return incident
        return None

    def remember(self, grouping: Grouping, incident: Incident, alert: Alert) -> None:
        """The alert is in this incident now: others like it may follow."""
        incident.grouping = NAMES[grouping.way]
        for key in grouping.keys(alert.trigger):
            self._latest[grouping.scope, key] = incident


def grouping_of(store: Store, service: Entity) -> Grouping | None:
    """How a service's alerts are grouped: by its own parameters, old or new, or by a setting that lists it."""
    own = service.get("alert_grouping_parameters") or {}
    if own.get("type"):
        return _grouping(service["id"], own["type"], own.get("config") or {}, unit=60)
    if service.get("alert_grouping"):
        config = {"timeout": service.get("alert_grouping_timeout")}
        return _grouping(service["id"], service["alert_grouping"], config, unit=60)
    setting = setting_of(store, service)
    if setting is None:
        return None
    # What is both content-based and intelligent is held to its fields: the rest is PagerDuty's secret.
    way = setting["type"].removesuffix("_intelligent")
    return _grouping(setting["id"], way, setting.get("config") or {}, unit=1)


def _grouping(scope: str, way: str, config: Mapping[str, Any], *, unit: int) -> Grouping:
    window = unit * (config.get("timeout") or 0) if way == "time" else config.get("time_window") or RECOMMENDED
    return Grouping(scope, way, window, tuple(config.get("fields") or ()), config.get("aggregate") == "any")


def _value(trigger: Trigger, name: str) -> object:
    name = name.removeprefix("event.").removeprefix("payload.")
    if name in ("summary", "severity"):
        return getattr(trigger, name)
    found: object = trigger.payload
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
