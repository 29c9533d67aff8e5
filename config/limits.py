"""How fast others may be called."""

from typing import Annotated

from pydantic import Field

from config.section import Section
from config.sections import SECOND
from config.values import Duration


class Limits(Section):
    """How fast others may be called, all workers together; what is over a limit waits without holding a worker."""

    rest_calls_per_minute: Annotated[int, Field(ge=2)] = Field(
        960, description="Calls of PagerDuty's REST API a minute with one key."
    )
    pagerduty_incident: Duration = Field(
        SECOND,
        description="Time between two alerts to one channel of kind `pagerduty_incident`; 0 = no limit. "
        "PagerDuty takes new incidents at human speed.",
    )
    slack: Duration = Field(SECOND, description="Time between two messages to one Slack webhook; 0 = no limit.")
    teams: Duration = Field(0.25 * SECOND, description="Time between two cards to one Teams workflow; 0 = no limit.")
    email: Duration = Field(0 * SECOND, description="Time between two mails of one channel; 0 = no limit.")
    webhook: Duration = Field(0 * SECOND, description="Time between two posts to one webhook; 0 = no limit.")
    burst: Annotated[int, Field(ge=1, le=100)] = Field(
        3, description="Messages to one channel that may go at once after a rest."
    )
