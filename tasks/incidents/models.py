"""What the tasks on incidents take and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Verb = Literal["create", "update", "acknowledge", "resolve", "merge", "snooze", "note", "reassign"]
Outcome = Literal["done", "already", "failed", "waiting"]
State = Literal["done", "failed", "open"]

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Wish(BaseModel):
    """What somebody wants done to incidents. `targets` are ids, numbers, URLs or dedup keys; the verb decides what else counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verb: Verb
    targets: tuple[Text, ...] = Field((), description="The incidents; none where one is created.")
    author: str = Field("", max_length=200, description="Who asks for it, for the record.")
    from_email: str = Field(
        "", max_length=254, description="The PagerDuty user in whose name; else `pagerduty.from_email`."
    )
    note: str = Field(
        "", max_length=25_000, description="Left on each incident once it is done; of `note` the note itself."
    )
    title: str = Field("", max_length=1024)
    body: str = Field("", max_length=65_535, description="Of a new incident, what it is about.")
    service: str = Field("", description="PagerDuty's id of a new incident's service.")
    key: str = Field(
        "", max_length=255, description="Of a new incident: there is only one open with it in its service."
    )
    urgency: Literal["", "high", "low"] = ""
    priority: str = Field("", description="Id of a priority.")
    escalation_policy: str = Field("", description="Id of an escalation policy.")
    escalation_level: int = Field(0, ge=0, le=20, description="0 leaves it as it is.")
    users: tuple[str, ...] = Field((), description="Ids of users to assign.")
    on_call: str = Field("", description="Id of a schedule: whoever is on call there when it is done is assigned.")
    into: str = Field("", description="Of a merge: the incident that takes the others in.")
    seconds: int = Field(0, ge=0, le=604_800, description="Of a snooze; a week at most.")
    status_update: str = Field("", max_length=10_000, description="What subscribers are told.")


class Answer(BaseModel):
    """What became of one incident, or why not."""

    target: str = Field(description="As it was named.")
    outcome: Outcome
    id: str = ""
    number: int | None = None
    html_url: str = ""
    why: str = Field("", description="Where it failed or waits: what is wrong, and how to mend it.")
    note: str = Field("", description="Where a note was asked for: done, failed or waiting.")
    status_update: str = Field("", description="Where one was asked for: done, failed or waiting.")


class ActionReport(BaseModel):
    """What became of an action: an answer for every incident that was named."""

    request_id: str
    verb: Verb
    state: State = Field(description="open: workers carry on with it.")
    answers: list[Answer] = Field(default_factory=list)
    why: str = Field("", description="Where it is open: what it waits for.")
    due: AwareDatetime | None = Field(None, description="Where it is open: when it is tried again.")
    is_passing: bool = Field(default=False, description="Whether what failed may work later: PagerDuty did not answer.")

    @property
    def failed(self) -> list[Answer]:
        """Those that did not work out."""
        return [one for one in self.answers if "failed" in (one.outcome, one.note, one.status_update)]


class ActionView(BaseModel):
    """One action as the record keeps it: who wanted what, when, and what came of it."""

    request_id: str
    verb: Verb
    state: State
    author: str = ""
    asked_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    tries: int = 0
    why: str = ""
    answers: list[Answer] = Field(default_factory=list)


class DrainReport(BaseModel):
    """What one round of carrying on did."""

    carried: int = Field(0, description="How many actions were taken up.")
    ended: int = Field(0, description="How many of them came to their end.")
