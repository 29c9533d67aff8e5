"""What the alert tasks take and answer."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tasks.alerts.receipt_view import Receipt

Status = Literal["open", "acknowledged", "resolved"]


class Decision(BaseModel):
    """What became of one alert at the door."""

    id: str = Field(description="Event id: the inbox id, or `<task id>:<index>`.")
    dedup_key: str = Field(description="The key the alert is known by; the event id where the sender gave none.")
    state: Literal["queued", "sent", "merged", "suppressed", "dead"]
    reason: str = Field("", description="Why, by name; empty while queued.")
    into: str = Field("", description="The event a merged one went into; what a suppressed one waits for.")
    detail: str = Field("", description="What is wrong and how to mend it, where refused.")


class SubmitReport(BaseModel):
    """What became of the alerts of one call."""

    alerts: list[Decision] = Field(default_factory=list, description="One entry per alert, in order.")
    drained: int = Field(0, description="How many inbox rows were decided on.")
    released: int = Field(0, description="How many alerts were let go because what held them back is over.")


class SilenceDraft(BaseModel):
    """A silence or maintenance window somebody asks for."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["silence", "maintenance"] = Field("silence", description="A maintenance window is planned work.")
    matchers: list[str] = Field(
        default_factory=list, description="Label matchers, such as severity=~warning|info; all of them must hold."
    )
    services: list[str] = Field(default_factory=list, description="Only alerts of these services; empty means all.")
    starts_at: AwareDatetime | None = Field(None, description="Empty means now.")
    ends_at: AwareDatetime | None = Field(None, description="This or `duration_seconds`.")
    duration_seconds: float | None = Field(None, gt=0, description="How long from its start on.")
    author: str = Field("", max_length=200, description="Who asks for it.")
    comment: str = Field("", max_length=2000, description="Why; whoever is on call next will read it.")


class Silence(BaseModel):
    """A silence or maintenance window: triggers that match are held back while it is active."""

    id: str
    kind: Literal["silence", "maintenance"] = "silence"
    matchers: list[str]
    services: list[str]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str
    created_at: datetime
    source: Literal["tocsin", "pagerduty"] = Field("tocsin", description="Where it was made.")
    expired_by: str = Field("", description="Who ended it before its time.")
    state: Literal["pending", "active", "ended"] = "active"
    held: int = Field(0, description="How many alerts it holds back now.")


class IncidentView(BaseModel):
    """An incident that an alert became in PagerDuty, as PagerDuty last told of it."""

    id: str
    number: int | None = None
    status: Literal["triggered", "acknowledged", "resolved"]
    url: str = ""
    seen_at: datetime = Field(description="When PagerDuty first had it, by PagerDuty's clock.")
    changed_at: datetime | None = Field(None, description="Since when it has this status.")
    answered_by: str = Field("", description="Who gave it this status; empty where nobody is named.")


class AlertView(BaseModel):
    """What is known of one alert: one dedup key of one service."""

    uid: str
    service: str
    dedup_key: str
    status: Status
    summary: str = ""
    severity: str = ""
    since: datetime | None = Field(None, description="Since when it fires, or is resolved.")
    last_at: datetime | None = Field(None, description="When the last news of it came.")
    held_by: str = Field("", description="The rule that holds its newest event back; empty if none does.")
    labels: dict[str, str] = Field(default_factory=dict, description="Its labels at the last trigger, long ones cut.")
    repeats: int = Field(0, description="Repeats that were merged.")
    destinations: list[str] = Field(default_factory=list, description="Where its open episode went.")
    incidents: list[IncidentView] = Field(
        default_factory=list,
        description="Its incidents in PagerDuty, the newest first; alerts told in groups share the group's.",
    )
    receipt: Receipt = Field(
        "",
        description="Whether PagerDuty has shown an incident of what it took last: seen, waiting (it is looked for), "
        "unverified (nobody can tell), missed (it shows none; said again elsewhere). Empty where nothing went to PagerDuty.",
    )
    seen_after_seconds: float | None = Field(None, description="How long it took until PagerDuty had that incident.")


class Page(BaseModel):
    """Some alerts, newest news first, and where to go on."""

    alerts: list[AlertView]
    next_cursor: str = Field("", description="Ask with it for the next page; empty on the last.")


class Preview(BaseModel):
    """What a silence would match among the alerts that are open now."""

    total: int
    alerts: list[AlertView] = Field(description="The newest of them.")
