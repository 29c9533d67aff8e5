"""What Tocsin finds amiss with itself, and what it is told as."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from typing import Literal

from pydantic import BaseModel, Field

from tasks.utils.health_monitor import State  # noqa: TC001 - pydantic needs it at run time

Severity = Literal["critical", "error", "warning"]
Way = Literal["inbox", "direct"]
Depth = Literal["quick", "full"]


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


class LineView(BaseModel):
    """One thing that was looked at; see `tasks.utils.health_monitor.Line`."""

    name: str = Field(examples=["server.policy"])
    state: State
    value: str = Field(description="What was found; of a line that was skipped, why.")
    limit: str = Field("", description="What would be well.")
    mend: str = Field("", description="What to do now; empty where all is well.")


class HealthReport(BaseModel):
    """How Tocsin is: the worst of the lines, and each line."""

    status: State
    at: datetime
    took_seconds: float
    depth: Depth = Field(description="quick: only what can be asked at once. full: PagerDuty and the canary too.")
    environment: str
    host: str = Field(description="The machine that looked; disk, spool, files and clock are its own.")
    version: str
    checks: list[LineView]


class HealthRun(BaseModel):
    """One line of the history."""

    at: datetime
    depth: Depth
    status: State
    amiss: list[str] = Field(description="Lines that warned or failed.")
