"""What the notification tasks answer."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from typing import Any, Literal

from pydantic import BaseModel, Field


class DrainReport(BaseModel):
    """What one drain of the outbox did."""

    attempts: int = Field(0, description="Sends begun.")
    sent: int = Field(0, description="Of those, accepted by the other side.")


class DigestReport(BaseModel):
    """What was made of news that waited to be told together."""

    sealed: int = Field(0, description="Messages that are on their way now.")


class GroupView(BaseModel):
    """A group of alerts that are told together."""

    group: str = Field(description="Its id; its dedup key at PagerDuty is `tocsin-group-` and this.")
    destination: str
    labels: dict[str, str] = Field(description="What its alerts have in common.")
    open: int = Field(description="Alerts that fire or are acknowledged.")
    waiting: int = Field(description="Pieces of news that are not told yet.")
    severity: str = Field("", description="The worst that was told since it began.")
    told_at: datetime | None = Field(None, description="When its last message was sealed.")
    due_at: datetime = Field(description="When the next one is, or the try to send the one before it.")
    is_held_up: bool = Field(default=False, description="Whether the message before is still on its way.")


class BudgetView(BaseModel):
    """The events of one routing key, as PagerDuty counts them."""

    key_id: str = Field(description="What the key is called in logs and in the ledger.")
    used_by: list[str] = Field(default_factory=list, description="Services and channels it is configured for.")
    limit: int = Field(description="Events PagerDuty takes in a minute.")
    used: int = Field(description="Events sent in the last minute.")
    waiting: int = Field(description="Alerts that wait for their turn.")
    teams: dict[str, int] = Field(default_factory=dict, description="How many of them are whose.")
    through_at: datetime | None = Field(None, description="When they will all be out, if nothing more comes.")


class SweepReport(BaseModel):
    """What the safety net found."""

    mended: int = Field(description="Waiting events whose lane had lost its due time and has one again.")


class ReplayReport(BaseModel):
    """Which dead letters went back into the inbox."""

    replayed: list[str] = Field(description="Event ids put back.")
    refused: dict[str, str] = Field(default_factory=dict, description="Event id -> why it cannot be replayed.")


class DeadLetter(BaseModel):
    """An event that could not be delivered."""

    id: str
    died_at: datetime
    received_at: datetime | None = None
    reason: str = Field(description="Why, by name, such as key_rejected or unknown_service.")
    detail: str = Field("", description="What is wrong and how to mend it.")
    service: str = Field("", description="Empty where it never became an alert of one.")
    action: str = ""
    severity: str = ""
    summary: str = ""
    uid: str = Field("", description="The alert it belongs to.")
    source: str = Field("", description="The door it came through.")
    attempts: int = 0
    destination: str = Field("", description="Where it was to go: a service, or one of its ways out.")
    channel: str = Field("", description="Where it was tried last.")
    meanwhile: Literal["", "resolved", "overtaken"] = Field(
        "", description="What came of its alert since: a replay would send nothing any more, only close this."
    )
    can_be_replayed: bool = Field(description="False for messages that never were readable as alerts.")
    alert: Any = Field(None, description="The alert itself; only where one dead letter is asked for.")
    raw: str = Field("", description="The text of a message that is no alert, cut where long.")


class DeadLetterPage(BaseModel):
    """Some dead letters, newest first, and where to go on."""

    dead_letters: list[DeadLetter]
    next_cursor: str = Field("", description="Ask with it for the next page; empty on the last.")


class LetterGroup(BaseModel):
    """Dead letters of one destination that died of the same."""

    service: str = Field(description="Empty where they never became alerts of one.")
    destination: str
    reason: str
    count: int = 0
    resolved: int = Field(0, description="Of those, whose alert was resolved meanwhile.")
    overtaken: int = Field(0, description="Of those, overtaken by newer news.")
    unreadable: int = Field(0, description="Of those, never readable as alerts.")
    oldest: datetime = Field(description="When the first of them died.")
    newest: datetime


class LetterCount(BaseModel):
    """What a replay or purge of many dead letters did, or would do."""

    is_dry_run: bool = Field(description="True when nothing was changed.")
    matched: int = Field(0, description="Dead letters the filter fits.")
    done: int = Field(0, description="Of those, put back or given up; in a dry run, those that would be.")
    refused: dict[str, int] = Field(
        default_factory=dict,
        description="Why others were not: resolved or overtaken (closed, by that name), unreadable (stay), gone.",
    )
    more: bool = Field(default=False, description="Whether this ended before all were looked at: ask again.")
