"""When an endpoint is left alone."""

from datetime import timedelta

from pydantic import Field

from config.section import Section
from config.values import Count, PositiveDuration


class CircuitBreaker(Section):
    """When to stop asking an endpoint (PagerDuty's, a chat's, the mail server) that does not answer well; see docs/outages.md."""

    failure_threshold: Count = Field(
        5,
        description="Failures within `window` after which an endpoint is left alone, unless more calls than that were answered.",
    )
    window: PositiveDuration = Field(
        timedelta(minutes=2), description="How long a failure counts; it begins with the first."
    )
    recovery_timeout: PositiveDuration = Field(
        timedelta(seconds=10),
        description="How long it is left alone before one trial; doubled with every trial that fails.",
    )
    longest_pause: PositiveDuration = Field(timedelta(minutes=1), description="Longest time between two trials.")
    slow_after: PositiveDuration = Field(
        timedelta(seconds=5), description="An answer that takes longer counts as a failure, whatever it says."
    )
