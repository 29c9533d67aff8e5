"""The section of what is kept for how long."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from config.section import Section
from config.values import Count, PositiveDuration

DAY = timedelta(days=1)


class LogRetention(Section):
    """How long each class of records stays where it is; then `logs.clean_up` archives and deletes it. Not set: it stays for ever."""

    results: PositiveDuration | None = Field(
        2 * DAY, description="What tasks answered; Redis forgets most of it after a day by itself."
    )
    ledgers: PositiveDuration | None = Field(
        90 * DAY,
        description="Files of the ledger whose events have all ended; `tocsin prove` names what it then lacks.",
    )
    audit: PositiveDuration | None = Field(
        400 * DAY, description="Files of the record of acts, and of PagerDuty's own."
    )
    dead_letters: PositiveDuration | None = Field(
        None, description="Dead letters, counted from their death. Not set: they stay until a person decides."
    )
    worker_logs: PositiveDuration | None = Field(14 * DAY, description="Log files that `tocsin up` has set aside.")
    metrics: PositiveDuration | None = Field(30 * DAY, description="Reports and figures in files.")
    exports: PositiveDuration | None = Field(30 * DAY, description="What `tocsin audit export` has written.")
    spool: PositiveDuration | None = Field(30 * DAY, description="Damaged lines of the spool that were set aside.")
    temp: PositiveDuration | None = Field(DAY, description="What processes that were killed left half written.")


class Logs(Section):
    """What is kept for how long, and where it goes then."""

    retention: LogRetention = Field(default_factory=LogRetention, description=LogRetention.__doc__)
    archives: Path | None = Field(
        None, description="Where archives lie; best another disk than this one. Default: `state_dir`/archives."
    )
    bytes_per_run: Count = Field(2_000_000_000, description="Most that one run archives; the next one goes on.")
    items_per_run: Count = Field(1000, description="Most files or pages of rows that one run archives.")
