"""The section of keys and their rotation."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from config.section import Section
from config.sections import HOUR, MINUTE
from config.values import PositiveDuration, in_parts

DAY = timedelta(days=1)
Rotated = Literal["integration", "orchestration", "webhook", "ingest", "jwt"]


def _each_once(kinds: tuple[Rotated, ...]) -> tuple[Rotated, ...]:
    return tuple(dict.fromkeys(kinds))


class MaxAges(Section):
    """How old keys may get before `tocsin health` warns, and before those of `tokens.rotate` are replaced."""

    integration: PositiveDuration = Field(180 * DAY, description="Integration keys of PagerDuty's services.")
    orchestration: PositiveDuration = Field(180 * DAY, description="Keys of event orchestrations (R…).")
    webhook: PositiveDuration = Field(180 * DAY, description="The secret that signs PagerDuty's webhooks.")
    ingest: PositiveDuration = Field(365 * DAY, description="Keys that senders send with.")
    jwt: PositiveDuration = Field(90 * DAY, description="The secret that signs access tokens.")
    encryption: PositiveDuration = Field(365 * DAY, description="The encryption key; a person replaces it.")
    api: PositiveDuration = Field(180 * DAY, description="The REST API key; a person replaces it.")
    oauth: PositiveDuration = Field(180 * DAY, description="The client secret of the OAuth app; a person replaces it.")


class Tokens(Section):
    """Keys, and how they are replaced by new ones; see docs/rotation.md."""

    rotate: Annotated[tuple[Rotated, ...], BeforeValidator(in_parts), AfterValidator(_each_once)] = Field(
        (),
        description="Kinds of keys that the scheduled task `tokens-rotate` replaces when they are past `tokens.max_age`. Default: none. "
        "In the environment: parted by blanks.",
    )
    max_age: MaxAges = Field(default_factory=MaxAges, description=MaxAges.__doc__)
    keep_former: PositiveDuration = Field(
        10 * MINUTE,
        description="How long a former integration or webhook subscription is kept at least, even if no alert needs it.",
    )
    ingest_grace: PositiveDuration = Field(
        7 * DAY,
        description="How long a former ingest key is taken after its successor, so that senders can be changed.",
    )
    ingest_quiet: PositiveDuration = Field(
        24 * HOUR, description="How long nobody must have sent with a former ingest key before it is taken away."
    )
    stuck_after: PositiveDuration = Field(
        HOUR,
        description="How long a rotation that nothing holds up may stand still before `tocsin health` warns and Tocsin's own alert "
        "`rotation_stuck` is raised.",
    )
    needed_at_most: PositiveDuration = Field(
        2 * DAY,
        description="How long a former key may still be needed, beyond the time for which it is kept anyway, before the same is told.",
    )
    warn_before: PositiveDuration = Field(
        14 * DAY, description="How long before its `tokens.max_age` a key that only a person can replace is told of."
    )
