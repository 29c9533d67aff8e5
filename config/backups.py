from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from config.section import Section
from config.values import PositiveDuration

Kept = Annotated[int, Field(ge=0)]


class Retention(Section):
    """Which backups the daily `backups.prune` keeps; the last good one stays in any case."""

    last: Kept = Field(3, description="So many of the newest.")
    hourly: Kept = Field(0, description="The newest of each hour, for so many hours that have one.")
    daily: Kept = Field(7, description="The newest of each day, for so many days that have one.")
    weekly: Kept = Field(4, description="The newest of each week.")
    monthly: Kept = Field(6, description="The newest of each month.")


class Backups(Section):
    """Snapshots of the PagerDuty account, of Tocsin's own state and of its configuration."""

    folder: Path | None = Field(
        None, description="Where they lie; best another disk or machine than this one. Default: `state_dir`/backups."
    )
    keep: Retention = Field(default_factory=Retention, description=Retention.__doc__)
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.3,
        description="Part of `limits.rest_calls_per_minute` that backups and restores may take, so that other work goes on.",
    )
    max_age: PositiveDuration = Field(
        timedelta(hours=26), description="How old the newest backup may be before `tocsin health` warns."
    )
    max_unverified: PositiveDuration = Field(
        timedelta(days=8), description="How long ago the last drill may be before `tocsin health` warns."
    )
