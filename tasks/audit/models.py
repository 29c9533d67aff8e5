"""What the audit tasks answer."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from typing import Literal

from pydantic import BaseModel, Field, computed_field

Holds = Literal["holds", "lost", "broken"]
VerdictName = Literal["delivered", "merged", "suppressed", "dead", "pending", "lost", "broken"]


class Broken(BaseModel):
    """One promise that does not hold."""

    event_id: str = Field("", description="The event concerned; empty where the evidence itself is at fault.")
    service: str = Field("", description="Of its alert; empty where neither Redis nor the ledger at hand can tell.")
    dedup_key: str = Field("", description="Of its alert; empty where Redis has forgotten the alert.")
    uid: str = Field("", description="Short name of its alert, made of service and dedup key.")
    fault: str = Field(
        "evidence",
        description="In one word: overdue, no_due_time, lost, lost_history, dead_letter_gone, held_too_long, never_accepted, "
        "merged_into_unknown, merged_into_itself, evidence.",
    )
    wrong: str = Field(description="What is wrong, in plain English.")
    file: str = Field(
        "", description="Where evidence is at fault: the file of the archive, or the last one before what is missing."
    )
    line: int | None = Field(
        None, description="The line there; of what is missing, the one behind the gap, or the last there is."
    )


class Pending(BaseModel):
    """Events whose story is still open, each with a due time that has not passed."""

    count: int = 0
    soonest_due: datetime | None = None
    latest_due: datetime | None = None


class Loss(BaseModel):
    """Redis lost everything: what the files outside know of the time before."""

    noticed_at: datetime = Field(description="By the fleet's clock; what came after is proved as ever.")
    lost_epoch: str = Field("", description="The name of the lost data set: when it began, in ms. Empty: not known.")
    pending: int | None = Field(None, description="Events that had not ended when last counted; None: not known here.")
    counted_at: datetime | None = Field(None, description="When they were counted.")
    rules: int | None = Field(None, description="Silences and maintenance windows there were, ended ones included.")
    sealed_entries: int = Field(0, description="Ledger entries that were sealed outside, as the last anchor says.")
    sealed_until: datetime | None = Field(
        None, description="When the newest of them was written; None: nothing was sealed here."
    )

    def __str__(self) -> str:
        counted = "how many events were pending is not known here"
        if self.pending is not None and self.counted_at is not None:
            counted = f"{self.pending:,} events were pending at {self.counted_at:%H:%M:%S}"
        sealed = "nothing was sealed here"
        if self.sealed_until is not None:
            sealed = (
                f"the newest sealed entry is number {self.sealed_entries:,}, of {self.sealed_until:%Y-%m-%d %H:%M:%S}"
            )
        known = max((at for at in (self.counted_at, self.sealed_until) if at), default=None)
        gap = f"; what was accepted after {known:%H:%M:%S} and had not ended is not known" if known else ""
        return f"History before {self.noticed_at:%Y-%m-%d %H:%M:%S %Z} is lost with Redis: {counted}, {sealed}{gap}."


class _Finding(BaseModel):
    """What a proof has found, in short."""

    holds: bool = Field(description="True when nothing is broken and no history is lost.")
    lost: int = Field(0, description="Events that had not ended when Redis lost everything; see `losses`.")
    losses: list[Loss] = Field(default_factory=list, description="Each time Redis lost everything.")
    broken_count: int = Field(0, description="All of them.")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def verdict(self) -> Holds:
        """In one word: `lost` where nothing is broken, but Redis lost everything in this span."""
        if self.holds:
            return "holds"
        return "lost" if (self.lost or self.losses) and not self.broken_count else "broken"


class EscalationProof(BaseModel):
    """What became of escalations: each that was started has ended by a named reason, or goes on at a time that has not passed."""

    started: int = 0
    steps: int = Field(0, description="Steps they took.")
    ended: dict[str, int] = Field(default_factory=dict, description="Reason -> escalations.")
    pending: int = 0
    lost: int = Field(0, description="Those that lived when Redis lost everything.")


class ProofReport(_Finding):
    """Whether every accepted event was delivered, merged, suppressed by a named rule, or dead-lettered."""

    checked_at: datetime = Field(description="By the fleet's clock.")
    since: datetime | None = Field(None, description="Only events accepted from here on; None for all there ever were.")
    events: int = Field(0, description="Events judged; the counts below add up to it, together with those broken.")
    delivered: int = 0
    merged: int = 0
    suppressed: dict[str, int] = Field(default_factory=dict, description="Rule -> events.")
    dead: dict[str, int] = Field(default_factory=dict, description="Reason -> events.")
    pending: Pending = Field(default_factory=Pending)
    escalations: EscalationProof = Field(default_factory=EscalationProof)
    lost_events: list[Broken] = Field(default_factory=list, description="At most the first 1,000.")
    broken: list[Broken] = Field(default_factory=list, description="At most the first 1,000.")
    broken_by: dict[str, int] = Field(default_factory=dict, description="Fault -> how many.")
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
    live_entries: int = Field(0, description="Entries only Redis has so far, where it was asked.")
    anchors: int = 0
    broken: list[Broken] = Field(default_factory=list)
    broken_count: int = Field(0, description="All of them; `broken` holds at most the first 1,000.")
    notes: list[str] = Field(default_factory=list)
    since: datetime | None = Field(None, description="Files of before then were not asked for.")


class KeptProof(_Finding):
    """What a scheduled proof found, kept where everybody can look at it."""

    name: str = Field(
        description="Which: hour (the last hour, every ten minutes) or whole (all there ever was, daily)."
    )
    checked_at: datetime
    since: datetime | None = None
    events: int = 0
    broken_by: dict[str, int] = Field(default_factory=dict, description="Fault -> how many.")
    broken: list[Broken] = Field(default_factory=list, description="At most the first 20.")
    took_seconds: float = 0.0


class TrailEvent(BaseModel):
    """One event of an alert."""

    event_id: str
    action: str = Field(
        description="trigger, acknowledge, resolve or change; refused: it could not become an alert; escalation."
    )
    number: int = Field(description="Its place among the alert's events, from 1.")


class TrailStep(Step):
    """One step on an alert's time line."""

    event_id: str
    gap_ms: int = Field(description="Since the step before.")


class AlertTrail(BaseModel):
    """The story of one alert: all its events, copies for other destinations and bundles that told of it included."""

    service: str
    dedup_key: str
    uid: str
    events: list[TrailEvent]
    steps: list[TrailStep] = Field(description="Of all of them, in the order of time.")


class DayReport(BaseModel):
    """How alerts of one day fared."""

    day: str
    alerts: int = Field(0, description="That were to be delivered, and have come to an end or past their deadline.")
    in_time: int = Field(0, description="Of those, taken by a channel before the deadline of their severity.")
    lost_to_dead_letters: int = Field(0, description="Of those, dead letters.")
    waiting: int = Field(0, description="That wait, and have time left.")

    @property
    def share(self) -> float | None:
        """Of the alerts, how many were in time; None where there were none."""
        return self.in_time / self.alerts if self.alerts else None


class OutageReport(BaseModel):
    """A span in which at least one accepted alert was past its deadline."""

    begin: datetime
    end: datetime
    seconds: float
    alerts: int = Field(description="How many were late in it.")


class AvailabilityReport(BaseModel):
    """How many accepted alerts were delivered in time."""

    since: datetime
    until: datetime
    days: list[DayReport]
    outages: list[OutageReport]
