"""What the rules of event orchestrations make of an event before it becomes an alert."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deploy.sandbox.pcl import PAYLOAD, matches, value_of
from deploy.sandbox.routing import route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deploy.sandbox.account import Integration
    from deploy.sandbox.store import Store

START = "start"
MOST_SETS = 100  # rules may lead in circles
PLACE = re.compile(r"{{\s*(?P<path>[\w.\-]+)\s*}}")


@dataclass
class Orchestrated:
    """An event as rules have made it, what else they want done, and the door it goes in by; None: nowhere."""

    event: Mapping[str, Any]
    door: Integration | None
    wishes: dict[str, Any] = field(default_factory=dict)

    def follow(self, document: Mapping[str, Any]) -> None:
        """Apply a document: in each set the first rule that fits, which may lead to another set; else what catches all."""
        for actions in self._taken(document):
            self.event = _changed(self.event, actions)
            self.wishes |= {name: value for name, value in actions.items() if name != "route_to"}

    def _taken(self, document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        sets = {one["id"]: one.get("rules", ()) for one in document.get("sets", ())}
        at = START
        for _ in range(MOST_SETS):
            open_rules = (rule for rule in sets.get(at, ()) if not rule.get("disabled"))
            rule = next((rule for rule in open_rules if matches(rule.get("conditions") or (), self.event)), None)
            actions = (rule or document.get("catch_all") or {}).get("actions") or {}
            yield actions  # the next set sees the event as these have changed it
            at = actions.get("route_to", "")
            if rule is None or at not in sets:
                return


def orchestrate(store: Store, door: Integration, event: Mapping[str, Any]) -> Orchestrated:
    """The event by all rules on its way: those of its orchestration, the router, and those of its service if they are active."""
    found = Orchestrated(event, door)
    if door.orchestration_id:
        orchestration = store.get("event_orchestrations", door.orchestration_id) or {}
        found.follow(orchestration.get("global") or {})
        found.door = route(store, door, found.event)
        if found.door is None:
            found.follow(orchestration.get("unrouted") or {})
            return found
    service = store.get("services", door.service_id if found.door is None else found.door.service_id) or {}
    rules = service.get("orchestration") or {}
    if rules.get("active"):
        found.follow(rules)
    return found


def _changed(event: Mapping[str, Any], actions: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("severity", "event_action"):
        if actions.get(name):
            event = _with(event, name, str(actions[name]))
    variables = {
        one["name"]: _found(value_of(event, _path(one["path"])), one["value"]) for one in actions.get("variables", ())
    }
    for one in actions.get("extractions", ()):
        if "template" in one:
            value: str | None = _filled(one["template"], event, variables)
        else:
            value = _found(value_of(event, _path(one["source"])), one["regex"])
        if value is not None:
            event = _with(event, _path(one["target"]), value)
    return event


def _with(event: Mapping[str, Any], path: str, value: str) -> Mapping[str, Any]:
    """The event with another value at a path, named as orchestrations name it."""
    names = path.split(".")
    return _put(event, ["payload", *names] if names[0] in PAYLOAD else names, value)


def _put(inside: Any, names: list[str], value: str) -> dict[str, Any]:
    known = dict(inside) if isinstance(inside, dict) else {}
    known[names[0]] = value if len(names) == 1 else _put(known.get(names[0]), names[1:], value)
    return known


def _path(name: str) -> str:
    return name.removeprefix("raw_event.").removeprefix("event.")


def _found(text: str | None, regex: str) -> str | None:
    """What the first group of the expression finds, or all of it where it has none."""
    match = re.search(regex, text) if text is not None else None
    return match[1 if match.re.groups else 0] if match else None


def _filled(template: str, event: Mapping[str, Any], variables: Mapping[str, str | None]) -> str:
    def fill(found: re.Match[str]) -> str:
        kind, _, name = found["path"].partition(".")
        return (variables.get(name) if kind == "variables" else value_of(event, _path(found["path"]))) or ""

    return PLACE.sub(fill, template)
