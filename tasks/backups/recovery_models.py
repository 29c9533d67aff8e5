"""What a recovery answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from tasks.backups.models import BackupView, ChangeView  # noqa: TC001 - pydantic needs them at run time

StepState = Literal["done", "waits", "failed"]


class PartPlan(BaseModel):
    """A part, the backup it comes from, and what would be done; `server` counts what goes into Redis, by kind."""

    part: str
    backup: BackupView
    age_seconds: float
    counts: dict[str, int]
    server: dict[str, int] = Field(default_factory=dict)
    changes: list[ChangeView] = Field(default_factory=list)
    passed_over: list[str] = Field(
        default_factory=list, description="Newer backups that cannot be read whole, and why."
    )


class Step(BaseModel):
    """One step of a recovery, and what came of it."""

    name: Literal["config", "files", "settings", "server", "state", "keys", "sync", "prove", "health"]
    state: StepState = "done"
    words: str


class RecoveryReport(BaseModel):
    """What was brought back, what is lost, and what a person must do; in plain words."""

    dry_run: bool = False
    is_over: bool = Field(default=False, description="Whether every step was taken; if not, the same command goes on.")
    parts: list[PartPlan] = Field(default_factory=list)
    steps: list[Step] = Field(default_factory=list)
    lost: list[str] = Field(default_factory=list, description="What is known to be lost, or cannot be known.")
    lost_alerts: int = Field(0, description="Accepted alerts that the ledger names as lost.")
    todo: list[str] = Field(default_factory=list)
    took_seconds: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether all that the backup has is back and no accepted alert is known to be lost."""
        return self.is_over and not self.lost_alerts and all(step.state == "done" for step in self.steps)

    def add(self, name: str, words: str, state: StepState = "done") -> Step:
        """Note a step."""
        step = Step(name=name, state=state, words=words)
        self.steps.append(step)
        return step
