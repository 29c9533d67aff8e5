"""What the escalation tasks answer."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

State = Literal["running", "acknowledged", "paused", "done", "cancelled"]


class AdvanceReport(BaseModel):
    """What one round of going on did."""

    taken: int = Field(0, description="Steps that were taken.")
    stopped: int = Field(
        0, description="Escalations that were ended, paused or put off instead, each by a named reason."
    )
    overtaken: int = Field(0, description="Escalations that somebody else had changed meanwhile.")
    latest_ms: int = Field(0, description="How late the latest of them was, in milliseconds.")


class AuditReport(BaseModel):
    """What was wrong with timers, and mended."""

    looked_at: int = Field(0, description="Open alerts of services with a policy, and timers.")
    started: int = Field(0, description="Open alerts without a timer: they have one now.")
    cancelled: int = Field(0, description="Timers without an open alert: ended.")
    revived: int = Field(0, description="Escalations that had lost their due time: they go on.")
    resumed: int = Field(0, description="Paused ones whose silence is over before its time: they go on.")
    late: int = Field(0, description="Timers that are overdue by more than a minute.")
    late_ms: int = Field(0, description="By how much the latest of all is overdue, in milliseconds.")

    @property
    def repaired(self) -> int:
        """How many were mended."""
        return self.started + self.cancelled + self.revived


class EscalationView(BaseModel):
    """How one escalation stands."""

    id: str
    uid: str = Field(description="The alert's short name.")
    service: str = ""
    dedup_key: str = ""
    policy: str
    state: State
    reason: str = Field("", description="Why it ended or waits, by name.")
    taken: int = Field(description="Steps that were taken.")
    next_step: str = Field("", description="Name of the step that follows.")
    reaches: list[str] = Field(default_factory=list, description="Whom that reaches.")
    started_at: AwareDatetime
    due_at: AwareDatetime | None = Field(None, description="When it goes on; empty while it waits for somebody.")
    left_seconds: float | None = Field(None, description="Of one that waits: time left to its next step.")
    late_seconds: float = 0
    ended_at: AwareDatetime | None = None
    by: str = Field("", description="Who paused it.")


class ChangeReport(BaseModel):
    """What came of a person's or task's wish about escalations."""

    changed: list[str] = Field(
        default_factory=list, description="Short names of the alerts whose escalations it changed."
    )
    unchanged: list[str] = Field(default_factory=list, description="Those that were over, or stood so already.")
