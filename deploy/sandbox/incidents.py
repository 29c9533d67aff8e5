from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy.sandbox.call import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from deploy.sandbox.account import Integration

KEPT_RESOLVED = 100_000


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a trigger says about the problem, the same for Events v1 and v2."""

    summary: str
    severity: str
    details: object
    contexts: Sequence[Mapping[str, object]]


@dataclass(slots=True)
class Incident:
    """One incident and the one alert in it. Times are epoch seconds of the sandbox's clock."""

    number: int
    dedup_key: str
    integration: Integration
    trigger: Trigger
    created_at: float
    updated_at: float
    alert_summary: str
    status: str = "triggered"
    acknowledged_at: float | None = None
    resolved_at: float | None = None
    triggers: int = 1

    @property
    def id(self) -> str:
        """The incident's id, in the alphabet and length of PagerDuty's."""
        return f"Q{self.number:013d}"

    @property
    def alert_id(self) -> str:
        """The id of the incident's alert."""
        return f"QA{self.number:012d}"

    @property
    def service_id(self) -> str:
        """The service it belongs to."""
        return self.integration.service_id

    @property
    def assignments(self) -> tuple[Any, ...]:
        """Whom it is assigned to."""
        return ()

    @property
    def is_open(self) -> bool:
        """Whether a resolve is still to come."""
        return self.status != "resolved"


class Incidents:
    """Alerts by PagerDuty's dedup rules: one open alert per routing key and dedup key, each in its own incident."""

    def __init__(self, kept_resolved: int = KEPT_RESOLVED) -> None:
        self._numbers = itertools.count(1)
        self._by_id: dict[str, Incident] = {}
        self._open: dict[tuple[str, str], Incident] = {}
        self._resolved: deque[str] = deque()
        self._kept_resolved = kept_resolved

    def trigger(self, integration: Integration, dedup_key: str, trigger: Trigger, now: float) -> Outcome:
        """Open an alert, or update the open one of these keys: the summary changes, the incident's title does not."""
        key = (integration.routing_key, dedup_key)
        incident = self._open.get(key)
        if incident is not None:
            incident.alert_summary = trigger.summary
            incident.updated_at = now
            incident.triggers += 1
            return Outcome.UPDATED
        incident = Incident(next(self._numbers), dedup_key, integration, trigger, now, now, trigger.summary)
        self._open[key] = incident
        self._by_id[incident.id] = incident
        return Outcome.OPENED

    def acknowledge(self, routing_key: str, dedup_key: str, now: float) -> Outcome:
        """Acknowledge the open alert of these keys; without one the event is dropped."""
        incident = self._open.get((routing_key, dedup_key))
        if incident is None:
            return Outcome.DROPPED
        if incident.status == "triggered":
            incident.status = "acknowledged"
            incident.acknowledged_at = incident.updated_at = now
        return Outcome.ACKNOWLEDGED

    def resolve(self, routing_key: str, dedup_key: str, now: float) -> Outcome:
        """Resolve the open alert of these keys; without one the event is dropped."""
        incident = self._open.pop((routing_key, dedup_key), None)
        if incident is None:
            return Outcome.DROPPED
        incident.status = "resolved"
        incident.resolved_at = incident.updated_at = now
        self._resolved.append(incident.id)
        if len(self._resolved) > self._kept_resolved:
            del self._by_id[self._resolved.popleft()]
        return Outcome.RESOLVED

    def get(self, incident_id: str) -> Incident | None:
        """The incident of this id, or None."""
        return self._by_id.get(incident_id)

    def all(self) -> Collection[Incident]:
        """Every incident still kept, oldest first."""
        return self._by_id.values()

    def open(self) -> Collection[Incident]:
        """The open incidents, oldest first."""
        return self._open.values()

    def __len__(self) -> int:
        return len(self._by_id)
