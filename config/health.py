"""The section of what is looked at to say how Tocsin is."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from config.section import Section
from config.sections import MINUTE, SECOND
from config.values import Count, Name, PositiveDuration

DAY = timedelta(days=1)
Bytes = Annotated[int, Field(ge=0)]


class Health(Section):
    """From where on `tocsin health` warns, and by which service it sends its canary; see docs/health.md."""

    canary_service: Name | None = Field(
        None,
        description="Service whose alerts call nobody: a canary goes the whole way to its PagerDuty service and back. "
        "Give it an integration of a PagerDuty service made for tests. Without one, no canary is sent.",
    )
    canary_within: PositiveDuration = Field(
        15 * SECOND,
        description="How long the canary may take until PagerDuty has it, and shows it where that can be asked.",
    )
    queue_age: PositiveDuration = Field(MINUTE, description="How long the oldest message of a queue may lie there.")
    queue_depth: Count = Field(10_000, description="How many messages may wait in one queue.")
    clock_skew: PositiveDuration = Field(
        2 * SECOND, description="How far this machine's clock may be from the server's; ten times as far is a failure."
    )
    disk_free: Bytes = Field(
        1024**3, description="Bytes that are to be free on the disk of `state_dir`; a tenth of it is a failure."
    )
    expires_within: PositiveDuration = Field(
        14 * DAY, description="How long before a certificate, key or token ends it is warned of."
    )
    key_age: PositiveDuration = Field(
        180 * DAY, description="How old a file with a secret may be before it is time for a new one."
    )
