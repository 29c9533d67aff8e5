"""PagerDuty's REST API, resource by resource."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Self

from tasks.utils.rest.collection import AFTER, CURSOR, Collection
from tasks.utils.rest.incidents import Incidents
from tasks.utils.rest.resources import (
    Abilities,
    Analytics,
    Dependencies,
    Extensions,
    LogEntries,
    Orchestrations,
    Services,
    Tags,
    Teams,
    Users,
    Webhooks,
)
from tasks.utils.rest.schedules import Schedules

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from types import TracebackType

    from tasks.utils.rest.caller import Caller


class RestClient:
    """One PagerDuty account: `rest.incidents.list(statuses=["triggered"])`. Safe to use from several threads, not over a fork.

    `caller` makes the calls, also those that have no method here: `rest.caller.get("/licenses")`. `now` is the fleet's clock.
    """

    def __init__(self, caller: Caller, now: Callable[[], datetime]) -> None:
        self.caller = caller
        self._now = now
        plain = partial(Collection, caller)
        self.incidents = Incidents(caller, "/incidents", "incident", "incidents", now=now)
        self.log_entries = LogEntries(caller, "/log_entries", "log_entry", "log_entries", now=now)
        self.services = Services(caller, "/services", "service", "services")
        self.escalation_policies = plain("/escalation_policies", "escalation_policy", "escalation_policies")
        self.schedules = Schedules(
            plain("/schedules", "schedule", "schedules"), plain("/v3/schedules", "schedule", "schedules")
        )
        self.oncalls = plain("/oncalls", "oncall", "oncalls")
        self.users = Users(caller, "/users", "user", "users")
        self.teams = Teams(caller, "/teams", "team", "teams")
        self.maintenance_windows = plain("/maintenance_windows", "maintenance_window", "maintenance_windows")
        self.webhooks = Webhooks(caller, "/webhook_subscriptions", "webhook_subscription", "webhook_subscriptions")
        self.orchestrations = Orchestrations(caller, "/event_orchestrations", "orchestration", "orchestrations")
        self.business_services = plain("/business_services", "business_service", "business_services")
        self.dependencies = Dependencies(caller)
        self.tags = Tags(caller, "/tags", "tag", "tags")
        self.extensions = Extensions(caller, "/extensions", "extension", "extensions")
        self.extension_schemas = plain("/extension_schemas", "extension_schema", "extension_schemas")
        self.abilities = Abilities(caller)
        self.audit_records = plain("/audit/records", "record", "records", CURSOR)
        self.analytics = Analytics(caller)
        self.priorities = plain("/priorities", "priority", "priorities")
        self.vendors = plain("/vendors", "vendor", "vendors")
        self.alert_grouping = plain(
            "/alert_grouping_settings", "alert_grouping_setting", "alert_grouping_settings", AFTER
        )
        self.notifications = plain("/notifications", "notification", "notifications")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def limited(self, *, share: float | None = None, patience: timedelta | None = None) -> RestClient:
        """The same client that takes at most `share` of the calls a minute (0.3 = 30 %), or waits longer for its turn."""
        return RestClient(self.caller.limited(share, patience), self._now)

    def now(self) -> datetime:
        """The time by the fleet's clock."""
        return self._now()

    def close(self) -> None:
        """Close the connections, also those of clients made by `limited`."""
        self.caller.close()
