"""When: entry -> wire name and crontab, in UTC. Imports no task. Any number of beats may run: the worker claims each run's slot."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cronsim import CronSim

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Entry:
    """One scheduled task: its wire name, when it runs as a crontab expression, and its arguments."""

    task: str
    cron: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


ENTRIES: Final[dict[str, Entry]] = {
    "outbox-sweep": Entry("notifications.sweep", "* * * * *"),
    "incidents-sync": Entry("incidents.sync", "*/5 * * * *"),
    "escalations-audit": Entry("escalations.audit", "* * * * *"),
    "ledger-seal": Entry("audit.seal", "* * * * *"),
    "pagerduty-maintenance": Entry("incidents.maintenance", "* * * * *"),
    "ledger-proof": Entry("audit.prove", "*/10 * * * *", {"since_seconds": 3600, "keep": "hour"}),
    "webhooks-catch-up": Entry("webhooks.catch_up", "*/5 * * * *"),
    "webhooks-check": Entry("webhooks.check", "2-59/5 * * * *"),
    "backups-create": Entry("backups.create", "15 2 * * *"),
    "backups-prune": Entry("backups.prune", "45 3 * * *"),
    "backups-verify": Entry("backups.verify", "30 5 * * *", {"read_data": True}),
    "backups-drill": Entry("backups.drill", "10 6 * * 0"),
    "ledger-proof-whole": Entry("audit.prove", "25 4 * * *", {"keep": "whole"}),
}


def last_due(cron: str, now: datetime) -> datetime:
    """The moment at or before `now` at which `cron` was last due."""
    after = now.astimezone(UTC).replace(tzinfo=None, second=0, microsecond=0) + timedelta(minutes=1)
    return next(CronSim(cron, after, reverse=True)).replace(tzinfo=UTC)


def slot(entry: str, due: datetime) -> str:
    """The name of one run of an entry."""
    return f"{entry}@{due:%Y-%m-%dT%H:%MZ}"
