"""What PagerDuty says, and what became of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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


class Observed(BaseModel):
    """What an observation changed."""

    state: Literal["matched", "parked", "ambiguous"] = Field(
        description="Parked: no alert of ours has such a key (yet). Ambiguous: several may be meant, so none is touched."
    )
    alerts: int = Field(0, description="Alerts the incident stands for; a group counts as one.")
    changes: dict[str, str] = Field(
        default_factory=dict,
        description="Uid of the alert (or group) -> seen, acknowledged, unacknowledged, resolved or reopened.",
    )
