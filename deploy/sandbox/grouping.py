from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deploy.sandbox.alerts import Alert, Trigger
    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.store import Entity

MOST_ALERTS = 1000
RECOMMENDED = 300
DAY = 86_400
# What `alert_grouping` of an incident calls the ways of grouping.
NAMES = {"time": "basic", "intelligent": "advanced", "content_based": "rules"}


class Groups:
    """Which open incident of a service the next alert joins: the latest one whose window is still open.

    `time`: so many minutes after the incident began (0: until it is resolved). `intelligent`: so many seconds after
    its latest alert, whatever the alert says. `content_based`: the same, where `all` or `any` of the fields agree.
    """

    def __init__(self) -> None:
        self._latest: dict[tuple[str, str], Incident] = {}

    def find(self, service: Entity, trigger: Trigger, now: float) -> Incident | None:
        """The open incident that this trigger's alert belongs into, or None if it begins its own."""
        parameters = service.get("alert_grouping_parameters")
        if not parameters or not parameters.get("type"):
            return None
        for key in _keys(parameters, trigger):
            incident = self._latest.get((service["id"], key))
            if incident is not None and _takes(incident, parameters, now):
                return incident
        return None

    def remember(self, service: Entity, incident: Incident, alert: Alert) -> None:
        """The alert is in this incident now: others like it may follow."""
        parameters = service.get("alert_grouping_parameters")
        if parameters and parameters.get("type"):
            incident.grouping = NAMES[parameters["type"]]
            for key in _keys(parameters, alert.trigger):
                self._latest[service["id"], key] = incident


def _takes(incident: Incident, parameters: Mapping[str, Any], now: float) -> bool:
    if not incident.is_open or not incident.alerts or len(incident.alerts) >= MOST_ALERTS:
        return False
    config = parameters.get("config") or {}
    if parameters["type"] == "time":
        minutes = config.get("timeout") or 0
        return not minutes or now <= incident.created_at + 60 * minutes
    window = config.get("time_window") or RECOMMENDED
    return now <= min(incident.alerts[-1].created_at + window, incident.created_at + DAY)


def _keys(parameters: Mapping[str, Any], trigger: Trigger) -> Iterator[str]:
    if parameters["type"] != "content_based":
        yield ""
        return
    config = parameters.get("config") or {}
    values = [(name, _value(trigger, name)) for name in config.get("fields") or ()]
    if config.get("aggregate") == "any":
        yield from (f"{name}={value!r}" for name, value in values if value is not None)
    elif values and all(value is not None for _, value in values):
        yield repr(values)


def _value(trigger: Trigger, name: str) -> object:
    name = name.removeprefix("event.").removeprefix("payload.")
    if name == "summary":
        return trigger.summary
    if name == "severity":
        return trigger.severity
    found: object = trigger.payload
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
