"""What is told of an alert's way before it goes it."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it
from typing import Literal

from pydantic import BaseModel, Field

from tasks.alerts.route_story import Verdict  # noqa: TC001 - pydantic reads it

Outcome = Literal["sent", "merged", "suppressed"]


ALONE = "by its dedup key alone"


class ChannelView(BaseModel):
    """One channel; never its key."""

    name: str
    kind: str
    key_id: str = Field(description="What its routing key is called in logs and in the ledger.")
    takes_changes: bool = Field(default=True, description="Whether change events may go there.")


class Way(BaseModel):
    """One route an alert takes, and where that leads."""

    route: str = Field(description="Name of the route; `default route` where none fits.")
    destination: str = Field(description="SERVICE for its own channels, SERVICE/CHANNEL for a route's list.")
    why: list[str] = Field(default_factory=list, description="The conditions and windows that hold.")
    channels: list[ChannelView] = Field(description="In order of fall-back.")
    group: str = Field(ALONE, description="What it is told of together with, and when.")


class RouteLook(BaseModel):
    """Why one route is taken, or is not."""

    route: str
    verdict: Verdict = Field(description="`refined`: it fits, and routes beneath it take the alert.")
    held: list[str] = Field(default_factory=list, description="Its conditions that hold.")
    failed: list[str] = Field(default_factory=list, description="Those that do not, and what stands in their place.")
    because: str = Field("", description="Why it is not tried at all.")


class RuleLook(BaseModel):
    """A silence, maintenance window or inhibition that matches the alert."""

    rule: str = Field(description="What the ledger calls it.")
    in_force: bool
    about: str = Field("", description="Until when, who asked for it, and why.")


class Explanation(BaseModel):
    """What would become of one alert if it came now. Nothing was sent, nothing was written."""

    service: str
    action: str
    dedup_key: str = Field("", description="Empty where the sender gives none: it gets its event id, unlike any other.")
    at: datetime = Field(description="The moment the rules and routes were asked for.")
    outcome: Outcome
    outcome_why: str = Field("", description="The rule or the repeat behind it.")
    adaptations: list[str] = Field(default_factory=list, description="What was mended, by name.")
    labels: dict[str, str] = Field(description="What rules and routes can ask for.")
    ways: list[Way] = Field(description="Every route it takes; a copy goes to each destination.")
    destinations: list[str]
    follows: bool = Field(default=False, description="Whether it goes where the open alert went, whatever its labels.")
    rules: list[RuleLook] = Field(default_factory=list, description="Rules that match it, in force or not.")
    state_known: bool = Field(description="Whether Redis could be asked for silences and for what is open.")
    group: str = Field(ALONE, description="What it is told of together with, and when; of each way, if they differ.")
    policy: str = "PagerDuty's own: the escalation policy of the PagerDuty service behind the key"
    looks: list[RouteLook] = Field(default_factory=list, description="The routes that were asked after.")
