"""The settings of the closed loop: whether PagerDuty shows what it took."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from config.section import Section
from config.values import PositiveDuration


class Receipts(Section):
    """How PagerDuty is looked at for incidents of the alerts it took; see docs/receipts.md."""

    enabled: bool = Field(
        default=True,
        description="Whether an alert PagerDuty took (202) and shows no incident of is said again elsewhere. "
        "It needs `pagerduty.api_key` or an OAuth app.",
    )
    look_after: PositiveDuration = Field(
        timedelta(seconds=20),
        description="How long after the 202 PagerDuty is looked at first. The last look is at the severity's deadline "
        "(`delivery.severity_deadlines`, at least 30 seconds): what is not there then is missed.",
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.3, description="Share of `limits.rest_calls_per_minute` the looks take at most."
    )
    give_up_after: PositiveDuration = Field(
        timedelta(hours=1),
        description="How long PagerDuty is asked while it does not answer; then nobody knows, and the alert counts as unverified.",
    )
