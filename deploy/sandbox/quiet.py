from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from deploy.sandbox import standing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.sandbox.alerts import Trigger
    from deploy.sandbox.store import Entity, Store


class Suppression(BaseModel):
    """A rule that stands in for an event orchestration: alerts it concerns are kept without an incident."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str | None = Field(None, description="only alerts of this service, by name or id")
    summary: str | None = Field(None, description="only alerts whose summary contains this")
    severity: str | None = Field(None, description="only alerts of this severity")

    def concerns(self, service: Entity, trigger: Trigger) -> bool:
        """Whether an alert of this trigger gets no incident."""
        return (
            (self.service is None or self.service in (service["id"], service.get("name")))
            and (self.summary is None or self.summary in trigger.summary)
            and (self.severity is None or self.severity == trigger.severity)
        )


def is_suppressed(suppressions: Iterable[Suppression], service: Entity, trigger: Trigger) -> bool:
    """Whether one of the rules keeps this trigger's alert from becoming an incident."""
    return any(rule.concerns(service, trigger) for rule in suppressions)


def in_maintenance(store: Store, service: Entity, now: float) -> bool:
    """Whether the service opens no incidents now: a maintenance window lasts, or the service is disabled."""
    return service.get("status") == "disabled" or standing.in_maintenance(store, service["id"], now)
