"""What the audit tasks answer."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from typing import Literal

from pydantic import BaseModel, Field

VerdictName = Literal["delivered", "merged", "suppressed", "dead", "pending", "broken"]


class Broken(BaseModel):
    """One promise that does not hold."""

    event_id: str = Field("", description="The event concerned; empty where the evidence itself is at fault.")
    wrong: str = Field(description="What is wrong, in plain English.")


class Pending(BaseModel):
    """Events whose story is still open, each with a due time that has not passed."""

    count: int = 0
    soonest_due: datetime | None = None
    latest_due: datetime | None = None


class ProofReport(BaseModel):
    """Whether every accepted event was delivered, merged, suppressed by a named rule, or dead-lettered."""

    holds: bool = Field(description="True when nothing is broken.")
    checked_at: datetime = Field(description="By the fleet's clock.")
    since: datetime | None = Field(None, description="Only events accepted from here on; None for all there ever were.")
    events: int = Field(0, description="Events judged; the counts below add up to it, together with those broken.")
    delivered: int = 0
    merged: int = 0
    suppressed: dict[str, int] = Field(default_factory=dict, description="Rule -> events.")
    dead: dict[str, int] = Field(default_factory=dict, description="Reason -> events.")
    pending: Pending = Field(default_factory=Pending)
    broken: list[Broken] = Field(default_factory=list, description="At most the first 1,000.")
    broken_count: int = Field(0, description="All of them.")
    sealed_entries: int = Field(0, description="Ledger entries read from the archive and found in the chain.")
    live_entries: int = Field(0, description="Ledger entries read from Redis, not archived yet.")
    anchors: int = Field(0, description="Signed anchors that agree with the chain.")
    notes: list[str] = Field(default_factory=list, description="What weakens the proof without breaking it.")
    took_seconds: float = 0.0


class EventVerdict(BaseModel):
    """What became of one event."""

    event_id: str
    verdict: VerdictName
    reason: str = Field("", description="Rule, reason of death, channel, event merged into, or what is broken.")
    due: datetime | None = Field(None, description="Where pending: when it goes on.")
    service: str = Field("", description="Empty once Redis has forgotten the event.")
    action: str = ""
    dedup_key: str = ""
    detail: str = Field("", description="Of a dead letter: what is wrong and how to mend it.")


class Step(BaseModel):
    """One step of an event's story."""

    at: datetime
    step: str = Field(description="The ledger's own word for it.")
    text: str = Field(description="The same in plain words.")

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S}.{self.at.microsecond // 1000:03d} {self.text}"


class SealReport(BaseModel):
    """What one sealing did."""

    sealed: int = Field(0, description="Entries chained, archived and anchored now.")
    total: int = Field(0, description="Entries sealed so far.")
    busy: bool = Field(default=False, description="True when another sealer is at work; nothing was done then.")


class ArchiveReport(BaseModel):
    """What Redis was relieved of."""

    entries: int = Field(0, description="Ledger entries; each is in an archive file.")
    events: int = Field(0, description="Events whose story ended before the retention began.")
    alerts: int = Field(0, description="Alerts resolved, or silent for long.")


class VerifyReport(BaseModel):
    """Whether the archive is what was written: every line, and every anchor."""

    holds: bool
    entries: int = 0
    anchors: int = 0
    broken: list[Broken] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
