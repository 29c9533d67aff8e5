"""What the verbs of backups answer."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (pydantic reads it)
from typing import Literal

from pydantic import BaseModel, Field

MOST_NAMED = 20  # items and snapshots of one fault

Source = Literal["account", "state", "config"]


class PartView(BaseModel):
    """How much of a source a backup holds."""

    items: int
    bytes: int


class BackupView(BaseModel):
    """A backup as lists show it; all of it can be read without a key."""

    id: str
    created: datetime
    is_encrypted: bool
    key_id: str = ""
    environment: str = ""
    host: str = ""
    version: str = ""
    note: str = ""
    parts: dict[str, PartView] = Field(default_factory=dict)
    items: int = 0
    bytes: int = 0
    added: int = 0
    took_seconds: float = 0.0
    wrong: str = ""


class CreateReport(BaseModel):
    """A backup that was just made. `ratio`: how many percent of it had to be stored; `missed`: what could not be read and should be in it.

    `left_out`: kinds of the account that are not in it, with those it cannot have.
    """

    backup: BackupView
    ratio: float
    warnings: list[str] = Field(default_factory=list)
    missed: dict[str, str] = Field(default_factory=dict)
    left_out: dict[str, str] = Field(default_factory=dict)


class Fault(BaseModel):
    """Something that is not as it was written, in words that name it; the items and backups that need it, the first of them."""

    what: str
    items: list[str] = Field(default_factory=list)
    more_items: int = 0
    backups: list[str] = Field(default_factory=list)


class VerifyReport(BaseModel):
    """Whether the backups are as they were written. `good`: ids of those from which everything can be restored."""

    holds: bool
    data_read: bool
    at: datetime
    backups: int
    objects: int
    packs: int
    bytes: int
    took_seconds: float
    faults: list[Fault] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    good: list[str] = Field(default_factory=list)
    last_good: str = ""


class PruneReport(BaseModel):
    """What was forgotten, or would be; why each of the others is kept; how many bytes that frees."""

    dry_run: bool
    forgotten: list[BackupView] = Field(default_factory=list)
    kept: list[BackupView] = Field(default_factory=list)
    reasons: dict[str, list[str]] = Field(default_factory=dict)
    packs_deleted: int = 0
    packs_written: int = 0
    bytes_freed: int = 0
    notes: list[str] = Field(default_factory=list)


class Difference(BaseModel):
    """One item that differs between two backups, by its address."""

    item: str
    change: Literal["added", "removed", "changed"]
    fields: list[str] = Field(default_factory=list)
    words: str = ""
    """For people, where the item is PagerDuty's: by the names of things, with what a field was and is."""


class DiffReport(BaseModel):
    """What differs between two backups."""

    before: str
    after: str
    added: int = 0
    removed: int = 0
    changed: int = 0
    differences: list[Difference] = Field(default_factory=list)


class ChangeView(BaseModel):
    """What a restore does, or did, with one item."""

    target: str
    verb: str
    item: str
    title: str = ""
    why: str = ""
    fields: list[str] = Field(default_factory=list)


class RestorePlan(BaseModel):
    """What a restore would do. `counts`: by target and verb."""

    backup: BackupView
    targets: list[str]
    counts: dict[str, dict[str, int]]
    changes: list[ChangeView] = Field(default_factory=list)
    resumes: bool = False


class RestoreReport(BaseModel):
    """What a restore did; `differences` is what reading again found not to be as in the backup."""

    backup: BackupView
    plan: dict[str, dict[str, int]]
    created: int = 0
    changed: int = 0
    differences: list[ChangeView] = Field(default_factory=list)
    took_seconds: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether everything that could be restored is as in the backup."""
        return not self.differences


class DrillReport(BaseModel):
    """A restore as a rehearsal. `rpo_seconds`: how old the newest good backup was; `rto_seconds`: how long restoring it took."""

    ok: bool
    at: datetime
    backup: str
    rpo_seconds: float
    rto_seconds: float
    restored: dict[str, int] = Field(default_factory=dict)
    faults: list[str] = Field(default_factory=list)
    last_good: str = ""
