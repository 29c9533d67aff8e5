"""When: entry -> wire name and crontab, in UTC. Imports no task. Any number of beats may run: the worker claims each run's slot.

`pagerduty.yaml` may change when an entry runs, with which arguments, or whether at all: see `schedules/entries.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Entry:
    """One scheduled task: its wire name, when it runs as a crontab expression, and its arguments.

    `catch_up`: how long after its time a missed run is still made up for; zero: never.
    """

    task: str
    cron: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    catch_up: timedelta = HOUR
    enabled: bool = True


ENTRIES: Final[dict[str, Entry]] = {
    "outbox-sweep": Entry("notifications.sweep", "* * * * *"),
    "incidents-sync": Entry("incidents.sync", "*/5 * * * *"),
    "escalations-audit": Entry("escalations.audit", "* * * * *"),
    "ledger-seal": Entry("audit.seal", "* * * * *"),
    "pagerduty-maintenance": Entry("incidents.maintenance", "* * * * *"),
    "ledger-proof": Entry("audit.prove", "*/10 * * * *", {"since_seconds": 3600, "keep": "hour"}),
    "webhooks-catch-up": Entry("webhooks.catch_up", "*/5 * * * *"),
    "webhooks-check": Entry("webhooks.check", "2-59/5 * * * *"),
    "backups-create": Entry("backups.create", "15 2 * * *", catch_up=12 * HOUR),
    "backups-prune": Entry("backups.prune", "45 3 * * *", catch_up=12 * HOUR),
    "backups-verify": Entry("backups.verify", "30 5 * * *", {"read_data": True}, 12 * HOUR),
    "backups-drill": Entry("backups.drill", "10 6 * * 0", catch_up=24 * HOUR),
    "records-verify": Entry("audit.verify", "10 5 * * *", {"strict": True}, 12 * HOUR),
    "pagerduty-audit": Entry("audit.collect", "4-59/10 * * * *"),
    "logs-clean-up": Entry("logs.clean_up", "50 4 * * *", catch_up=12 * HOUR),
    "tokens-rotate": Entry("tokens.rotate", "7-59/15 * * * *", enabled=False),
    "health-check": Entry("health.check", "3-59/5 * * * *"),
    "ledger-proof-whole": Entry("audit.prove", "25 4 * * *", {"keep": "whole"}, 12 * HOUR),
}
