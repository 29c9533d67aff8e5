"""What a step sends: a trigger for each channel it names, and actions on the incident for whom it reaches at PagerDuty. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.escalations.rows import Sends
from tasks.utils.identifiers import alert_uid, wire_key
from tasks.utils.kept_labels import recall
from tasks.utils.rows import milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.escalations.policy import Step, Target
    from tasks.escalations.rows import Due

FIELDS: Final = ("summary", "source", "severity", "component", "group", "class")
APART: Final = frozenset({*FIELDS, "service", "dedup_key", "action", "client"})
BY_CHANNEL: Final = ("channel", "webhook")
GIVE_UP_AFTER: Final = timedelta(hours=4)
AUTHOR: Final = "escalation"


@dataclass(frozen=True)
class Ways:
    """Where the channels of services lead: service -> channel -> destination."""

    destinations: Mapping[str, Mapping[str, str]]

    def to(self, service: str, channel: str) -> str:
        """The destination of one channel; empty where there is none by that name any more."""
        return self.destinations.get(service, {}).get(channel, "")


def sends_of(due: Due, step: Step, ways: Ways) -> Sends:
    """What is sent for one step; a channel that is not configured any more is left out, and said so."""
    alert = alert_of(due, step.name)
    events, actions, whom = [], [], []
    for number, target in enumerate(step.targets):
        name = f"step-{due.uid}-{due.began}-{due.taken}-{number}"
        if target.kind in BY_CHANNEL:
            destination = ways.to(due.service, target.value)
            whom.append(f"{target.kind} {target.value}" + ("" if destination else " (not configured)"))
            if destination:
                events.append(_event(name, destination, due, alert))
        else:
            whom.append(f"{target.kind} {target.value}")
            actions.append({"id": name, "wish": _wish(due, step, target), "give_up": milliseconds(GIVE_UP_AFTER)})
    return Sends(events, actions, whom)


def alert_of(due: Due, step: str) -> dict[str, Any]:
    """The alert in wire shape, as far as it is kept, with what step of which escalation it is about."""
    labels = recall(due.labels, due.service, due.dedup_key)
    payload: dict[str, Any] = {name: labels[name] for name in FIELDS if name in labels}
    details = {name: value for name, value in labels.items() if name not in APART}
    payload.setdefault("summary", due.dedup_key)
    payload.setdefault("source", "tocsin")
    payload.setdefault("severity", "critical")
    payload["custom_details"] = {**details, "escalation": f"nobody has answered: {step} (step {due.taken + 1})"}
    return {"service": due.service, "event_action": "trigger", "dedup_key": due.dedup_key, "payload": payload}


def _event(name: str, destination: str, due: Due, alert: Mapping[str, Any]) -> dict[str, str]:
    own = destination == due.service
    payload = alert["payload"]
    return {
        "id": name,
        "destination": destination,
        "place": due.uid if own else alert_uid(f"{due.service}>{destination}", due.dedup_key),
        "body": json.dumps(alert),
        "severity": payload["severity"],
        "summary": payload["summary"][:120],
    }


def _wish(due: Due, step: Step, target: Target) -> str:
    asked: dict[str, Any] = {
        "verb": "reassign",
        "targets": incidents_of(due.incidents) or [due.wire or wire_key(due.dedup_key)],
        "author": AUTHOR,
        "note": f"Nobody has answered: {step.name}",
    }
    if target.kind == "pagerduty_policy":
        asked["escalation_policy"] = target.value
    elif target.kind == "pagerduty_schedule":
        asked["on_call"] = target.value
    else:
        asked["users"] = [target.value]
    return json.dumps(asked)


def incidents_of(records: str) -> list[str]:
    """The ids of the open incidents the alert became, as far as they are known; `records` as lua/lib/answer.lua keeps them."""
    known = json.loads(records).values() if records else ()
    return [str(one.get("into") or one["id"]) for one in known if one.get("id") and one.get("status") != "resolved"]
