"""What the alert tasks answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class Decision(BaseModel):
    """What became of one alert at the door."""

    id: str = Field(description="Event id: the inbox id, or `<task id>:<index>`.")
    dedup_key: str = Field(description="The key the alert is known by; the event id where the sender gave none.")
    state: Literal["queued", "sent", "merged", "suppressed", "dead"]
    reason: str = Field("", description="Why, by name; empty while queued.")
    into: str = Field("", description="The event a merged one went into.")
    detail: str = Field("", description="What is wrong and how to mend it, where refused.")


class SubmitReport(BaseModel):
    """What became of the alerts of one call."""

    alerts: list[Decision] = Field(default_factory=list, description="One entry per alert, in order.")
    drained: int = Field(0, description="How many inbox rows were decided on.")
