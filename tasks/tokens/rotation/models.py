"""What a rotation is and what is told of it. No value of a key ever stands here, only ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

Step = Literal["make", "wait_known", "prove", "switch", "wait_unused", "remove", "done"]
STEPS: Final[tuple[Step, ...]] = ("make", "wait_known", "prove", "switch", "wait_unused", "remove", "done")
WORDS: Final[Mapping[Step, str]] = {
    "make": "the new key is to be made",
    "wait_known": "the new key is made; all processes get to know it",
    "prove": "all processes know the new key; it is to be proven",
    "switch": "the new key works; it is to be put in force",
    "wait_unused": "the new key is in force; the former one is kept while it is needed",
    "remove": "nothing needs the former key; it is to be deleted",
    "done": "over",
}


class Rotation(BaseModel):
    """How far the rotation of one key is. It lies beside the key, so that every machine can go on with it."""

    model_config = ConfigDict(frozen=True)

    id: str
    step: Step = "make"
    began: int
    since: int  # of the step, ms
    old: str  # id of the value that is in force when it begins
    base: str = ""  # id of the configured value
    new: str = ""
    owner: str = ""  # at PagerDuty: the service, orchestration or, of webhooks, nothing
    made: str = ""  # id there of what was made for the new value
    former: str = ""  # id there of what the old value belongs to
    unused: int = 0  # since when nothing needs the former key, ms
    waits: str = ""  # what it waits for, or why it failed, in words
    looked: int = 0  # when it was last tried to go on, and could not, ms


def mark_of(rotation: Rotation) -> str:
    """What names of things made at PagerDuty for a rotation bear: whoever lost everything finds by it what took whose place."""
    return f"[tocsin {rotation.id}{f' {rotation.base}' if rotation.base else ''}]"


class RotationView(BaseModel):
    """One rotation as it stands."""

    kind: str
    key: str = Field(description="Id of the key in force.")
    former: str = Field(description="Id of the key that was in force before.")
    rotation: str
    step: Step
    waits: str = Field(description="What it waits for, or why its last step failed; empty where nothing holds it up.")
    where: list[str] = Field(description="Where the key is used.")
    under_way_seconds: float = Field(0.0, description="Since it was begun.")
    step_seconds: float = Field(0.0, description="Since its last step.")
    stuck: str = Field("", description="Why it ought to be further by now; empty where it goes its way.")
    mend: str = Field("", description="What a person can do; empty where nothing need be done.")


class AtRest(BaseModel):
    """What lies somewhere, encrypted with one key."""

    place: str
    key: str
    count: int
    needs_former: bool = Field(description="Whether it is a former key, which must be kept for it.")
    mend: str = ""
    where: list[str] = Field(default_factory=list, description="Where it stands, where a person must mend it.")


class AccessToken(BaseModel):
    """The access tokens of an OAuth app, of which every process has one of its own."""

    app: str = Field(description="The beginning of its client id.")
    processes: int = Field(description="How many have one.")
    scopes: list[str] = Field(default_factory=list, description="What all of them allow.")
    missing: list[str] = Field(default_factory=list, description="What was asked for, and is not granted to some.")
    ends_in_seconds: float | None = Field(None, description="When the first of them ends; null where there is none.")
    fetched_seconds: float | None = Field(None, description="Since the last one was fetched.")
    oldest_seconds: float | None = Field(None, description="Since the oldest one was fetched.")
    replaced_by: str = "every process, before its end"
    error: str = Field("", description="Why one could not be had, the last time that happened.")
    error_seconds: float | None = None
    failing: int = Field(0, description="How many processes got none at their last attempt.")


class RotationReport(BaseModel):
    """What came of a call."""

    rotations: list[RotationView] = Field(default_factory=list)
    nothing_due: bool = False
    access_tokens: list[AccessToken] = Field(default_factory=list, description="Of an OAuth app, where one is set.")
    at_rest: list[AtRest] = Field(default_factory=list, description="Of encryption keys: what needs which.")


class KeyView(BaseModel):
    """One key, as people see it."""

    kind: str
    id: str
    state: str
    where: list[str]
    age_days: float | None = Field(description="Since it was first seen, or put in force; null where nobody knows.")
    max_age_days: float
    replaced_by: Literal["tocsin", "a person"]
    last_used_seconds: float | None = None
    step: str = ""
