"""Puts the question that accepts one alert: everything the server needs to decide and to write, in one script call."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from tasks.alerts.labels import labels_of
from tasks.utils.formatters import cut_text
from tasks.utils.identifiers import alert_uid, wire_key
from tasks.utils.kept_labels import keep
from tasks.utils.rows import milliseconds
from tasks.utils.sealed_fields import SealedFields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from config.suppression import Flapping
    from tasks.alerts.grouping import GroupRule
    from tasks.alerts.holds import Inhibition, RuleBook
    from tasks.alerts.routing import Router, Ways
    from tasks.utils.scripts import Call
    from tasks.utils.validators import CheckedAlert

SIGNED_FIELDS: Final = ("summary", "source", "severity", "component", "group", "class", "custom_details")
_in_order: Final = json.JSONEncoder(sort_keys=True).encode
ANNOUNCEMENT: Final = "Flapping, held back until it is calm: "
COPY: Final = re.compile(r".*\+([A-Za-z0-9][\w.:~-]*)")  # the destination's slash is a tilde, see lua/accept.lua


@dataclass(frozen=True)
class Incoming:
    """One alert at the door: `raw` is whatever the sender sent, `received` milliseconds since the epoch or ''."""

    id: str
    raw: Any
    source: str
    received: str = ""


@dataclass(frozen=True)
class FlappingRule:
    """How many changes within which span make an alert flap, and after how long without one it is calm. 0 changes: never."""

    changes: int
    window: timedelta
    calm: timedelta

    def __str__(self) -> str:
        return f"{self.changes} {milliseconds(self.window)} {milliseconds(self.calm)}" if self.changes else ""


def flapping_rule(flapping: Flapping) -> FlappingRule:
    """The setting as the decisions take it."""
    return FlappingRule(flapping.changes, flapping.window, flapping.calm)


class Escalates(Protocol):
    """Knows how alerts escalate, see `tasks.escalations.freezing`."""

    def spec(self, service: str, severity: str, at: datetime) -> str:
        """How an alert of that service that begins then escalates, as the script takes it; '' where it does not."""
        ...


@dataclass(frozen=True)
class AlertRules:
    """What the decisions depend on: dedup window of each known service, and the service of alerts that name none."""

    dedup_windows: Mapping[str, timedelta]
    default_service: str
    max_alerts: int
    max_tries: int
    router: Router | None = None
    inhibitions: Sequence[Inhibition] = ()
    flapping: Mapping[str, FlappingRule] = field(default_factory=dict)
    escalates: Escalates | None = None  # where alerts of some service do
    fields: SealedFields = field(default_factory=lambda: SealedFields({}, None))  # what is kept encrypted
    drain_for: timedelta = timedelta(seconds=5)  # then task messages, which wait behind a drain, have their turn


def acceptance(
    one: Incoming, checked: CheckedAlert, rules: AlertRules, book: RuleBook, now: datetime
) -> tuple[Call, str]:
    """The script call that accepts one alert whose service is known, and the dedup key it is known by."""
    alert = checked.alert
    service = alert["service"]
    dedup_key = alert["dedup_key"] = alert.get("dedup_key") or one.id
    payload = alert.get("payload") or {}
    action = alert["event_action"]
    labels = labels_of(rules.fields.without(alert))
    kept = rules.fields.seal(alert)
    is_trigger = action == "trigger"
    copy = COPY.fullmatch(one.id) if "+" in one.id else None
    flapping = str(rules.flapping[service]) if service in rules.flapping else ""
    call = (
        "accept",
        one.id,
        alert_uid(service, dedup_key),
        service,
        dedup_key,
        action,
        str(payload.get("severity", "")),
        sign(rules.fields.told(alert)),
        0 if copy else milliseconds(rules.dedup_windows[service]),
        json.dumps(kept),
        str(payload.get("summary", ""))[:120],
        one.source,
        one.received,
        _listed(checked.adaptations),
        keep(labels) if is_trigger else "",
        book.version,
        _listed([rule.told() for rule in book.rules_for(labels)]) if is_trigger else "",
        _listed(book.fed_by(labels)) if is_trigger else "",
        flapping,
        _announcement(kept) if flapping and is_trigger else "",
        "" if wire_key(dedup_key) == dedup_key else wire_key(dedup_key),
        rules.escalates.spec(service, str(payload.get("severity", "")), now) if rules.escalates and is_trigger else "",
    )
    ways = _ways(rules.router, service, labels, now)
    if copy:
        destination = copy[1].replace("~", "/")
        ways = {destination: ways.get(destination) or _usual_grouping(rules.router, destination)}
    return (*call, *_places(ways, alert, labels)), dedup_key


def sign(alert: Mapping[str, Any]) -> str:
    """Severity or action, and a digest of what a person would read; two events of one key with the same sign say the same thing."""
    action = alert["event_action"]
    payload = alert.get("payload") or {}
    said = [payload.get(field) for field in SIGNED_FIELDS] if action == "trigger" else []
    kind = payload.get("severity", "") if action == "trigger" else action
    return f"{kind}:{hashlib.sha256(_in_order(said).encode()).hexdigest()[:24]}"


def _ways(router: Router | None, service: str, labels: Mapping[str, str], now: datetime) -> Ways:
    """Every destination, with the way its alerts are grouped."""
    return {service: None} if router is None else router.route(service, labels, now).ways


def _usual_grouping(router: Router | None, destination: str) -> GroupRule | None:
    return None if router is None else router.usual_grouping(destination)


def _places(ways: Ways, alert: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    """Each destination with the uid its state goes by (for the service's own, that of the alert itself) and its group."""
    service, places = alert["service"], []
    for destination, rule in ways.items():
        of = service if destination == service else f"{service}>{destination}"
        group = rule.line(destination, labels) if rule else ""
        places += [destination, alert_uid(of, alert["dedup_key"]), group]
    return places


def _announcement(alert: Mapping[str, Any]) -> str:
    payload = alert["payload"]
    summary = cut_text(ANNOUNCEMENT + payload["summary"], 1024)
    return json.dumps({**alert, "payload": {**payload, "summary": summary}})


def _listed(values: Sequence[Any]) -> str:
    return json.dumps(values) if values else ""
