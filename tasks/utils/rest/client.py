"""PagerDuty's REST API, resource by resource."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from tasks.utils.rest.collection import Collection
from tasks.utils.rest.incidents import Incidents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from types import TracebackType

    from tasks.utils.rest.caller import Caller


@dataclass(frozen=True)
class Webhooks(Collection):
    """Webhook subscriptions."""

    def enable(self, item_id: str) -> dict[str, Any]:
        """The subscription, enabled again after PagerDuty had disabled it."""
        return self.unwrapped(self.caller.call("POST", self.path_to(item_id, "enable"), may_repeat=True))

    def ping(self, item_id: str) -> None:
        """Let PagerDuty send a `pagey.ping`."""
        self.caller.call("POST", self.path_to(item_id, "ping"), may_repeat=True)


@dataclass(frozen=True)
class LogEntries(Collection):
    """What happened to all incidents."""

    def list(
        self, since: datetime | None = None, until: datetime | None = None, **filters: Any
    ) -> Iterator[dict[str, Any]]:
        """Those of a span of time, newest first."""
        return super().list(since=since, until=until, **filters)


class RestClient:
    """One PagerDuty account: `rest.incidents.list(statuses=["triggered"])`. Safe to use from several threads, not over a fork."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def limited(self, *, share: float | None = None, patience: timedelta | None = None) -> RestClient:
        """The same client that takes at most `share` of the calls a minute (0.3 = 30 %), or waits longer for its turn."""
        return RestClient(self.caller.limited(share, patience))

    def close(self) -> None:
        """Close the connections, also those of clients made by `limited`."""
        self.caller.close()

    @cached_property
    def incidents(self) -> Incidents:
        """Incidents."""
        return Incidents(self.caller, "/incidents", "incident", "incidents")

    @cached_property
    def log_entries(self) -> LogEntries:
        """Log entries."""
        return LogEntries(self.caller, "/log_entries", "log_entry", "log_entries")

    @cached_property
    def webhooks(self) -> Webhooks:
        """Webhook subscriptions."""
        return Webhooks(self.caller, "/webhook_subscriptions", "webhook_subscription", "webhook_subscriptions")

    @cached_property
    def services(self) -> Collection:
        """Services."""
        return Collection(self.caller, "/services", "service", "services")

    @cached_property
    def maintenance_windows(self) -> Collection:
        """Maintenance windows."""
        return Collection(self.caller, "/maintenance_windows", "maintenance_window", "maintenance_windows")

    @cached_property
    def oncalls(self) -> Collection:
        """Who is on call."""
        return Collection(self.caller, "/oncalls", "oncall", "oncalls")

    @cached_property
    def users(self) -> Collection:
        """Users."""
        return Collection(self.caller, "/users", "user", "users")
