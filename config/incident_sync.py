"""The settings of the comparison with PagerDuty's open incidents."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from config.section import Section
from config.values import Duration, PositiveDuration


class IncidentSync(Section):
    """How alerts are compared with PagerDuty's incidents, every five minutes and after a loss of Redis; see docs/recovery.md."""

    enabled: bool = Field(
        default=True, description="Whether it runs by itself; it needs `pagerduty.api_key` or an OAuth app."
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.3, description="Share of `limits.rest_calls_per_minute` it takes at most."
    )
    grace: Duration = Field(
        timedelta(minutes=2),
        description="How long after its last send an alert may be missing among PagerDuty's open incidents before PagerDuty is "
        "asked about it: what was just opened is not listed at once.",
    )
    most_asked: Annotated[int, Field(ge=1, le=10_000)] = Field(
        500,
        description="Alerts PagerDuty is asked about one by one in one run; the others have their turn in the next.",
    )
    lease: PositiveDuration = Field(
        timedelta(minutes=2), description="How long a run that is heard of no more keeps others from beginning."
    )
