"""What PagerDuty says, and what became of it."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

IncidentStatus = Literal["triggered", "acknowledged", "resolved"]


class Observation(BaseModel):
    """What PagerDuty says of one incident at one moment."""

    model_config = ConfigDict(frozen=True)

    incident_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    keys: tuple[str, ...] = Field(
        (), description="Dedup keys of its alerts as PagerDuty has them; empty where unknown."
    )
    status: IncidentStatus
    at: int = Field(
        gt=0, description="Since when it has this status, by PagerDuty's clock: milliseconds since the epoch."
    )
    number: int = Field(0, ge=0, description="Of the incident; of two incidents of one alert the higher one counts.")
    opened_at: int = Field(0, ge=0, description="When the incident was opened (ms), where that is known.")
    html_url: str = ""
    who: str = Field("", max_length=200, description="Who gave this answer; empty where nobody is named.")
    service_id: str = Field("", description="PagerDuty's own id of the service.")
    source: Literal["webhook", "sync", "scan"] = "webhook"
    merged_into: str = Field("", description="The incident it was merged into; its alerts go on there.")


class Observed(BaseModel):
    """What an observation changed."""

    state: Literal["matched", "parked", "ambiguous"] = Field(
        description="Parked: no alert of ours has such a key (yet). Ambiguous: several may be meant, so none is touched."
    )
    alerts: int = Field(0, description="Alerts the incident stands for; a group counts as one.")
    changes: dict[str, str] = Field(
        default_factory=dict,
        description="Uid of the alert (or group) -> seen, acknowledged, unacknowledged, resolved, reopened or merged.",
    )


class ProcessReport(BaseModel):
    """What one run of `webhooks.process` did."""

    webhooks: int = Field(0, description="Webhooks worked off.")
    matched: int = Field(0, description="Of those, about incidents of alerts of ours.")
    parked: int = Field(0, description="Of those, about incidents of no alert that is known (yet).")
    changes: int = Field(0, description="Changes of alerts they brought.")
    others: int = Field(0, description="Of those, about anything else; counted, no more.")
    buried: int = Field(0, description="Of those, unusable: dead letters now.")
    looked_up: int = Field(0, description="Parked incidents whose dedup keys PagerDuty told on asking.")


class CatchUpReport(BaseModel):
    """What was read of PagerDuty's log."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = Field(None, description="Everything up to then is known now.")
    entries: int = Field(0, description="Log entries read.")
    changes: int = Field(0, description="Changes of alerts they brought.")
    missing: str = Field("", description="Why not all of it could be read; empty if it was.")


class SubscriptionView(BaseModel):
    """A webhook subscription of the account."""

    id: str
    url: str = Field(description="Where it delivers, without a password.")
    description: str = ""
    is_ours: bool = Field(description="Whether it delivers to Tocsin's door.")
    is_active: bool = True
    is_disabled: bool = Field(default=False, description="Whether PagerDuty stopped it after failed deliveries.")
    events: list[str] = Field(default_factory=list)
    filter: str = Field("", description="What it is for, such as `account` or `service PABC123`.")


class CreatedSubscription(BaseModel):
    """A new subscription and its secret, which PagerDuty shows this once."""

    subscription: SubscriptionView
    secret: SecretStr


class SubscriptionReport(BaseModel):
    """What a look at our subscriptions found."""

    subscriptions: int = Field(0, description="Ours: those that deliver to Tocsin's door.")
    enabled: list[str] = Field(
        default_factory=list, description="Ids that PagerDuty had disabled and that are enabled again."
    )
    inactive: list[str] = Field(
        default_factory=list, description="Ids that somebody has switched off; they are left alone."
    )
    missing: str = Field("", description="Why nobody could look, or why nothing comes; empty if all is well.")
