"""The section of settings about what is done with PagerDuty's incidents."""

from datetime import timedelta

from pydantic import Field

from config.incident_sync import IncidentSync
from config.section import Section
from config.values import PositiveDuration


class Incidents(Section):
    """What is done with PagerDuty's incidents, and what PagerDuty's maintenance windows do here."""

    give_up_after: PositiveDuration = Field(
        timedelta(hours=4),
        description="How long an action that a task asked for is tried while PagerDuty does not take it; then it has failed.",
    )
    honour_maintenance: bool = Field(
        default=True,
        description="Whether alerts of a service are held back while PagerDuty has the service in maintenance. "
        "Needs `pagerduty.api_key` or an OAuth app, and `pagerduty_service_id` in the service's file.",
    )
    sync: IncidentSync = Field(default_factory=IncidentSync, description=IncidentSync.__doc__)
