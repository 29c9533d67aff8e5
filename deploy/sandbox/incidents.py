from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from deploy.sandbox.alerts import Alert
from deploy.sandbox.builtin import DEFAULT_POLICY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from deploy.sandbox.account import Integration
    from deploy.sandbox.alerts import Trigger
    from deploy.sandbox.due import Timer
    from deploy.sandbox.journal import Agent, Entry

KEPT_RESOLVED = 100_000
NO_TIMERS: Mapping[str, Timer] = {}


class Assignment(NamedTuple):
    """A user an incident is assigned to, since when."""

    at: float
    user_id: str


class Acknowledgement(NamedTuple):
    """Who took an incident on, and when."""

    at: float
    agent: Agent


def id_of(number: int) -> str:
    """The id of the incident of a number."""
    return f"Q{number:013d}"


@dataclass(slots=True)
class Incident:
    """One incident with its alerts and its log. Times are epoch seconds of the sandbox's clock.

    Opened by events it has alerts, opened by hand (REST) none, and perhaps an `incident_key` of its own.
    """

    number: int
    service_id: str
    title: str
    opened_by: Agent
    created_at: float
    updated_at: float
    changed_at: float
    changed_by: Agent
    status: str = "triggered"
    urgency: str = "high"
    alerts: list[Alert] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    resolved_at: float | None = None
    incident_key: str | None = None
    details: object = None
    policy_id: str = DEFAULT_POLICY["id"]
    level: int = 1
    loops: int = 0
    assigned_via: str = "escalation_policy"
    assignments: tuple[Assignment, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    timers: Mapping[str, Timer] = field(default_factory=lambda: NO_TIMERS)
    priority_id: str = ""
    incident_type: str = "incident_default"
    conference_bridge: Mapping[str, Any] | None = None
    merged_into: Incident | None = None
    notes: tuple[dict[str, Any], ...] = ()
    status_updates: tuple[Mapping[str, Any], ...] = ()
    responder_requests: tuple[Mapping[str, Any], ...] = ()
    grouping: str = ""

    @property
    def id(self) -> str:
        """The incident's id, in the alphabet and length of PagerDuty's."""
        return id_of(self.number)

    @property
    def is_open(self) -> bool:
        """Whether a resolve is still to come."""
        return self.resolved_at is None

    @property
    def summary(self) -> str:
        """How references name it."""
        return f"[#{self.number}] {self.title}"

    @property
    def dedup_key(self) -> str:
        """The key of its first alert, or its own."""
        return self.alerts[0].dedup_key if self.alerts else self.incident_key or ""

    @property
    def severity(self) -> str:
        """The severity of its first alert."""
        return self.alerts[0].trigger.severity if self.alerts else ""

    def has_key(self, key: str) -> bool:
        """Whether the key is its own or that of one of its alerts."""
        return self.incident_key == key or any(alert.dedup_key == key for alert in self.alerts)


class Incidents:
    """The incidents and alerts there are: by id, and the open ones. At most one alert is open per key pair."""

    def __init__(self, kept_resolved: int = KEPT_RESOLVED) -> None:
        self._numbers = itertools.count(1)
        self._alert_numbers = itertools.count(1)
        self._by_id: dict[str, Incident] = {}
        self._open: dict[str, Incident] = {}
        self._open_alerts: dict[tuple[str, str], Alert] = {}
        self._resolved: deque[str] = deque()
        self._kept_resolved = kept_resolved
        self._latest = 0.0
        self._is_in_order = True

    def next_number(self) -> int:
        """The number of the next incident."""
        return next(self._numbers)

    def add(self, incident: Incident) -> None:
        """Keep a new incident."""
        # Planted ones lie in the past.
        self._is_in_order = self._is_in_order and incident.created_at >= self._latest
        self._latest = incident.created_at
        self._by_id[incident.id] = incident
        self._open[incident.id] = incident

    def new_alert(self, integration: Integration, dedup_key: str, trigger: Trigger, now: float) -> Alert:
        """A new open alert, in no incident yet."""
        alert = Alert(next(self._alert_numbers), dedup_key, integration, trigger, now, now, trigger.summary)
        self._open_alerts[integration.routing_key, dedup_key] = alert
        return alert

    def open_alert(self, routing_key: str, dedup_key: str) -> Alert | None:
        """The open alert that events with these keys are about, or None."""
        return self._open_alerts.get((routing_key, dedup_key))

    def close_alert(self, alert: Alert, now: float) -> None:
        """The alert is resolved: the next trigger with its keys opens another."""
        alert.resolved_at = alert.updated_at = now
        self._open_alerts.pop((alert.integration.routing_key, alert.dedup_key), None)

    def reopen(self, incident: Incident) -> None:
        """A resolved incident is open again."""
        self._is_in_order = False
        self._open[incident.id] = incident

    def close(self, incident: Incident) -> None:
        """The incident is resolved; the longest resolved are forgotten."""
        self._open.pop(incident.id, None)
        self._resolved.append(incident.id)
        if len(self._resolved) > self._kept_resolved:
            oldest = self._resolved.popleft()
            if oldest not in self._open:
                self._by_id.pop(oldest, None)

    def get(self, incident_id: str) -> Incident | None:
        """The incident of this id, or None."""
        return self._by_id.get(incident_id)

    def all(self) -> Collection[Incident]:
        """Every incident still kept, in the order in which they were made."""
        return self._by_id.values()

    def in_order(self, found: list[Incident]) -> list[Incident]:
        """Some of the incidents, by the time they began."""
        return found if self._is_in_order else sorted(found, key=lambda one: (one.created_at, one.number))

    def open(self) -> Collection[Incident]:
        """The open incidents, in the order in which they were made."""
        return self._open.values()

    def open_alerts(self) -> Collection[Alert]:
        """The open alerts, the suppressed ones too."""
        return self._open_alerts.values()

    def __len__(self) -> int:
        return len(self._by_id)
