from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy.sandbox.account import Integration
    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.journal import Entry


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a trigger says about the problem, the same for Events v1 and v2.

    `payload` is what content-based grouping may look at; `client` is the monitoring tool as it names itself.
    """

    summary: str
    severity: str
    details: object
    contexts: Sequence[Mapping[str, object]]
    payload: Mapping[str, Any] = field(default_factory=dict)
    client: Mapping[str, str] | None = None


@dataclass(slots=True)
class Alert:
    """One alert: what events with one dedup key opened. Times are epoch seconds of the sandbox's clock.

    `incident` is None while it is suppressed; `entry` is the log entry of its first trigger.
    """

    number: int
    dedup_key: str
    integration: Integration
    trigger: Trigger
    created_at: float
    updated_at: float
    summary: str
    incident: Incident | None = None
    resolved_at: float | None = None
    triggers: int = 1
    entry: Entry | None = None

    @property
    def id(self) -> str:
        """The alert's id, in the alphabet and length of PagerDuty's."""
        return f"QA{self.number:012d}"

    @property
    def is_open(self) -> bool:
        """Whether a resolve is still to come."""
        return self.resolved_at is None

    @property
    def status(self) -> str:
        """An alert is triggered or resolved, nothing between."""
        return "triggered" if self.resolved_at is None else "resolved"
