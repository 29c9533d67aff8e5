"""What the notification tasks answer."""

from __future__ import annotations

from pydantic import BaseModel, Field


class DrainReport(BaseModel):
    """What one drain of the outbox did."""

    attempts: int = Field(0, description="Sends begun.")
    sent: int = Field(0, description="Of those, accepted by the other side.")


class SweepReport(BaseModel):
    """What the safety net found."""

    mended: int = Field(description="Waiting events whose lane had lost its due time and has one again.")


class ReplayReport(BaseModel):
    """Which dead letters went back into the inbox."""

    replayed: list[str] = Field(description="Event ids put back.")
    refused: dict[str, str] = Field(default_factory=dict, description="Event id -> why it cannot be replayed.")
