"""What a clean-up did, and what archives and holds there are."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic needs it at run time

from pydantic import BaseModel, Field

from tasks.logs.items import Kind  # noqa: TC001


class Kept(BaseModel):
    """Something past its time that stays."""

    name: str
    why: str


class ClassReport(BaseModel):
    """What was done with one class; in a dry run, what would be."""

    kind: Kind
    retention_seconds: float | None = Field(description="Null: for ever.")
    items: int = Field(0, description="Files or pages of rows that were archived, verified and deleted.")
    bytes: int = Field(0, description="So much they took.")
    stored_bytes: int = Field(0, description="So much their archives take.")
    kept: list[Kept] = Field(default_factory=list, description="What is past its time and stays; the first hundred.")
    kept_items: int = 0
    left: int = Field(0, description="What the next run goes on with.")


class CleanUpReport(BaseModel):
    """What one run did."""

    dry_run: bool
    classes: list[ClassReport]
    host: str = Field(description="Whose files these were; what is in Redis is everybody's.")

    @property
    def items(self) -> int:
        """All of it."""
        return sum(one.items for one in self.classes)


class Scope(BaseModel):
    """What a legal hold is about: what fits all that is said. What is not said fits everything."""

    kind: Kind | None = None
    service: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ends_at: datetime | None = Field(None, description="When the hold ends by itself; null: not until it is released.")


class Hold(Scope):
    """A legal hold: what it is about is not deleted, whatever its age."""

    id: str
    why: str
    author: str
    made_at: datetime
    released_at: datetime | None = None
    released_by: str = ""


class ArchiveView(BaseModel):
    """One archive."""

    id: str = Field(description="By which it is restored.")
    kind: Kind
    name: str = Field(description="What it was.")
    file: str
    made_at: datetime
    first: datetime
    last: datetime
    bytes: int
    stored_bytes: int
    sha256: str
    is_encrypted: bool
    is_there: bool = Field(description="Whether its file is where it was put.")


class Restored(BaseModel):
    """What was brought back."""

    archives: list[str]
    places: list[str] = Field(description="Where each of them is now.")
    hold: str = Field(description="The hold that keeps it from being cleaned up again.")
    stays_until: datetime


class ArchivesVerified(BaseModel):
    """Whether archives are as they were written."""

    holds: bool
    archives: int
    bytes: int
    faults: list[str]


class Relisted(BaseModel):
    """What was put on the list of archives again; in a dry run, what would be."""

    listed: list[str] = Field(default_factory=list, description="Archives by their ids, which are those they had.")
    refused: list[str] = Field(default_factory=list, description="Files that are not sound archives, and why.")
    missing: list[int] = Field(default_factory=list, description="Numbers of which there is no sound archive.")
    lost_end: bool = Field(
        description="Whether Redis knew of a later archive than the list did; from now on it does not."
    )
