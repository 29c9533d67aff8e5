"""The section of alerts that Tocsin raises about itself."""

from typing import Annotated

from pydantic import Field

from config.section import Section
from config.sections import MINUTE, SECOND
from config.values import Count, Duration, Name, PositiveDuration, SecretUrl

Percent = Annotated[int, Field(ge=1, le=100)]


class OwnAlerts(Section):
    """What Tocsin tells people about itself, by the process `tocsin sentinel`; see docs/own-alerts.md."""

    enabled: bool = Field(
        default=True, description="Whether it tells anything; off, `tocsin up` starts no sentinel and one started ends."
    )
    service: Name | None = Field(
        None,
        description="Service whose channels take these alerts; give it two channels of different kinds. Default: `default_service`.",
    )
    every: PositiveDuration = Field(10 * SECOND, description="How often it looks.")
    raise_after: Duration = Field(10 * SECOND, description="How long something must be amiss before it is told.")
    resolve_after: Duration = Field(MINUTE, description="How long it must be well again before that is told.")
    late_after: PositiveDuration = Field(
        MINUTE, description="How long a row that is due may lie there before its workers count as away."
    )
    failing_after: PositiveDuration = Field(
        2 * MINUTE, description="How long every attempt by one key may fail before the channel counts as down."
    )
    memory_percent: Percent = Field(80, description="Share of Redis's memory above which it is told.")
    spool_percent: Percent = Field(50, description="Share of `spool.max_bytes` on disk above which it is told.")
    dead_letters: Count = Field(1, description="New dead letters within ten minutes from which on it is told.")
    dead_man_url: SecretUrl | None = Field(
        None,
        description="Address outside that is posted to every minute while the whole chain works, such as a check of healthchecks.io; "
        "whoever runs it calls you when the posts stay away. Who knows it may post there.",
    )
