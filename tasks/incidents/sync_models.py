"""What a comparison with PagerDuty answers."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic needs it at run time

from pydantic import BaseModel, Field


class SyncReport(BaseModel):
    """What came of comparing our alerts with PagerDuty's incidents. Alerts are counted once for each place they are open at."""

    state: str = Field(
        "done",
        description="done, busy (another run is at work; nothing was done), off (no key or app for the REST API, or "
        "`incidents.sync.enabled` is false).",
    )
    dry_run: bool = Field(default=False, description="True: nothing was changed, the counts say what would be.")
    began_at: datetime | None = None
    took_seconds: float = 0.0
    calls: int = Field(0, description="Pages and single incidents asked for.")
    incidents: int = Field(0, description="Open incidents of the account.")
    ours: int = Field(0, description="Alerts that were open here, and sent to PagerDuty, when it began.")
    known: int = Field(0, description="Open there and here.")
    rebuilt: int = Field(0, description="Open there and not known here: known now, so that what follows finds its way.")
    resolved_again: int = Field(
        0, description="Resolved here after the loss of what was known of it: ended there, too."
    )
    acknowledged: int = Field(0, description="Acknowledged there and not here: so here, too.")
    seen: int = Field(0, description="Known to have become an incident since now.")
    closed: int = Field(0, description="Resolved there and not here: so here, too.")
    still_open: int = Field(0, description="Not listed, but open when asked about: PagerDuty was late.")
    missing: int = Field(0, description="Sent, but PagerDuty knows no incident of it.")
    said_again: int = Field(
        0, description="Open here although its newest incident there is over: it fired since, which PagerDuty lost."
    )
    unasked: int = Field(0, description="Not listed and not asked about: their turn comes with the next run.")
    foreign: int = Field(0, description="Alerts there that no service of ours sends; left alone.")
    groups: list[str] = Field(
        default_factory=list,
        description="Incidents of groups and of storms' summaries that are open there and some of whose members nobody can tell: "
        "left for people to close. "
        "At most the first 20, as `#number title`.",
    )
    ended_here: int = Field(0, description="Resolved here and open there, on its way or opened by others; left alone.")
