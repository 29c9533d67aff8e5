"""What Tocsin finds amiss with itself, and what it is told as."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from typing import Literal

from pydantic import BaseModel, Field

Severity = Literal["critical", "error", "warning"]
Way = Literal["inbox", "direct"]


@dataclass(frozen=True)
class Finding:
    """Something amiss. `name` is that of its condition, `subject` what it concerns where there may be several."""

    name: str
    severity: Severity
    summary: str
    mend: str
    subject: str = ""

    @property
    def id(self) -> str:
        """What it is known by, in memory and in dedup keys."""
        return f"{self.name}:{self.subject}" if self.subject else self.name


class OwnAlert(BaseModel):
    """Something amiss with Tocsin itself, as people look at it."""

    name: str = Field(description="Which condition, and behind a colon what it concerns.")
    severity: Severity
    summary: str
    mend: str
    is_told: bool = Field(description="Whether people were told; if not, it is too new, or no channel took it.")
    is_over: bool = Field(description="Whether it is well again, but not for long enough to say so.")
    since: datetime = Field(description="Since when it is as it is, amiss or well again.")
    told_at: datetime | None = None


class OwnReport(BaseModel):
    """What is amiss with Tocsin itself."""

    alerts: list[OwnAlert]
    redis_answers: bool = Field(description="If not, only what this machine knows is listed.")
