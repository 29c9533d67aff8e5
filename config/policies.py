"""What a file of a policy says: who is called next while nobody answers, and when."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from config.channels import Urgencies, Urgency
from config.errors import UnfitError
from config.routing import TimeZone, Window
from config.section import Section
from config.sections import MINUTE, Severity
from config.values import Duration, Name, PagerDutyId, PositiveDuration

MOST_STEPS = 50
SEVERITIES: tuple[Severity, ...] = ("critical", "error", "warning", "info")


def _lowered(word: object) -> object:
    return word.strip().lower() if isinstance(word, str) else word


class Target(Section):
    """Whom a step reaches: exactly one of these."""

    channel: Name | None = Field(None, description="A channel of the service, by name, whatever its kind.")
    webhook: Name | None = Field(None, description="The same, of a channel that must be of kind `webhook`.")
    user: PagerDutyId | None = Field(None, description="PagerDuty's id of a user, such as PUSER01.")
    schedule: PagerDutyId | None = Field(
        None, description="PagerDuty's id of a schedule: whoever is on call there when the step is taken."
    )
    policy: PagerDutyId | None = Field(None, description="PagerDuty's id of an escalation policy.")

    @model_validator(mode="after")
    def _is_one(self) -> "Target":
        said = sorted(self.model_fields_set)
        if len(said) != 1:
            what = f"names {' and '.join(said)}" if said else "names nobody"
            raise UnfitError(what, "give each target an entry of its own: `- channel: NAME`, `- user: PUSER01`")
        return self

    @property
    def named(self) -> tuple[str, str]:
        """What kind of target it is, and which."""
        (kind,) = self.model_fields_set
        return kind, getattr(self, kind)


class When(Section):
    """When a step is taken. All of it must hold."""

    severity: tuple[Annotated[Severity, BeforeValidator(_lowered)], ...] = Field(
        (), description="Only for alerts of these severities: `critical`, `error`, `warning`, `info`; none = all."
    )
    urgency: Annotated[Urgency, BeforeValidator(_lowered)] | None = Field(
        None, description="Only for alerts of this urgency: `high` or `low`; which have which: `urgencies`."
    )
    hours: Name | None = Field(None, description="Only while these hours of the policy are open.")
    outside: Name | None = Field(None, description="Only while these hours of the policy are closed.")
    otherwise: Literal["wait", "skip"] = Field(
        "wait",
        description="What becomes of a step that is due when its hours do not hold: `wait` for them, or `skip` it.",
    )

    @model_validator(mode="after")
    def _hours_make_sense(self) -> "When":
        if self.hours and self.outside:
            raise UnfitError("hours stands beside outside", "keep one of the two")
        if "otherwise" in self.model_fields_set and not (self.hours or self.outside):
            raise UnfitError("otherwise says nothing without hours", "give hours or outside, or remove it")
        return self


class PolicyStep(Section):
    """One step of a policy."""

    name: Name | None = Field(
        None, description="Name of the step, unique in its policy. Default: `step-1` by its place."
    )
    after: Duration = Field(
        description="How long after the step before it; of the first, after the alert began. Time that passes, whatever clocks do."
    )
    targets: Annotated[tuple[Target, ...], Field(min_length=1, max_length=MOST_STEPS)] = Field(
        description="Whom it reaches, all of them at once."
    )
    when: When = Field(default_factory=When, description=When.__doc__)


class HandOver(Section):
    """The last step: PagerDuty's own policy goes on from here."""

    after: Duration = Field(15 * MINUTE, description="How long after the last step of the last round.")
    policy: PagerDutyId = Field(description="PagerDuty's id of the escalation policy that takes over.")


class BusinessHours(Section):
    """Hours in one place, by its clock on the wall and its holidays."""

    name: Name = Field(description="Name of the hours, unique in the policy; conditions use it.")
    time_zone: TimeZone = Field(description="Time zone of the hours, an IANA name such as Europe/Paris.")
    times: Annotated[tuple[Window, ...], Field(min_length=1)] = Field(
        description="Stretches of the week in which they are open, as in routes; a stretch that passes midnight is of the day it begins on."
    )
    holidays: tuple[Name, ...] = Field(
        (), description="Lists of days on which no stretch begins, each from its file `holidays/NAME.yaml`."
    )


class EscalationPolicy(Section):
    """Who is called next while nobody answers. It is frozen into each escalation when that begins: edits concern later alerts."""

    name: Name = Field(description="Name of the policy; may be left out. Default: the name of the file.")
    description: str | None = Field(None, description="One line for people: whom it calls.")
    hours: tuple[BusinessHours, ...] = Field((), description="Business hours, for the conditions of steps.")
    urgencies: Urgencies = Field(default_factory=Urgencies, description="Urgency of an alert by its severity.")
    steps: Annotated[tuple[PolicyStep, ...], Field(min_length=1, max_length=MOST_STEPS)] = Field(
        description="The steps, in order."
    )
    repeats: Annotated[int, Field(ge=0, le=100)] = Field(
        0, description="How many times more the steps are gone through while nobody answers."
    )
    repeat_after: PositiveDuration = Field(
        15 * MINUTE,
        description="From the last step of a round to the first of the next, in place of that one's `after`.",
    )
    hand_over: HandOver | None = Field(None, description="Whom PagerDuty calls once all rounds are over.")
    acknowledgement_timeout: PositiveDuration | None = Field(
        None,
        description="How long an acknowledgement counts: then, if nothing is resolved, the first step is due again. Default: for good.",
    )
    auto_resolve: PositiveDuration | None = Field(
        None, description="How long after its beginning an alert is resolved by itself. Default: never."
    )
    on_no_receipt: Literal["wait", "escalate"] = Field(
        "wait",
        description="What happens when PagerDuty took the alert and shows no incident: `escalate` makes the next step due at once.",
    )

    @model_validator(mode="after")
    def _resolves_late_enough(self) -> "EscalationPolicy":
        first = self.steps[0].after
        if self.auto_resolve is not None and self.auto_resolve <= first:
            raise UnfitError("auto_resolve ends the alert before the first step", "let it be longer, or leave it out")
        return self

    def severities_of(self, when: When) -> tuple[Severity, ...]:
        """The severities whose alerts take a step; all that there are, where it does not say."""
        wanted = when.severity or SEVERITIES
        return tuple(
            one for one in SEVERITIES if one in wanted and when.urgency in (None, getattr(self.urgencies, one))
        )

    def step_name(self, index: int) -> str:
        """The name of the step at a place from 0."""
        return self.steps[index].name or f"step-{index + 1}"
