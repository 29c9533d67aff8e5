"""The alert's way without Celery between: services on the real server and the sandbox, driven step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from tasks.alerts.acceptance import AlertRules
from tasks.alerts.current import CurrentAlerts
from tasks.alerts.holds import hold_name
from tasks.alerts.models import SilenceDraft
from tasks.alerts.rule_store import RuleStore
from tasks.alerts.service import AlertService
from tasks.alerts.silences import SilenceService
from tasks.notifications.channels.pagerduty import PagerDutyEvents
from tasks.notifications.channels.protocol import Address
from tasks.notifications.dispatch import Dispatch
from tasks.notifications.letters import Letters
from tasks.notifications.service import DeliveryRules, DeliveryService, Route
from tasks.notifications.telling import Teller
from tasks.utils.clock import Clock
from tasks.utils.metrics_collector import Metrics
from tasks.utils.notification_builder import NotificationBuilder
from tasks.utils.rows import Inbox, InboxRow, new_event_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.keys import Keys

PRIMARY_KEY = "sandboxprimary000000000000000001"
STANDBY_KEY = "sandboxstandby000000000000000002"
DEADLINES = {"critical": 60_000, "error": 300_000, "warning": 900_000, "info": 3_600_000}


def alert(key: str = "disk", action: str = "trigger", **payload: Any) -> dict[str, Any]:
    """An alert of service `shop` in wire shape."""
    body: dict[str, Any] = {"service": "shop", "event_action": action, "dedup_key": key}
    if action == "trigger":
        body["payload"] = {"summary": f"{key} is in trouble", "source": "web1", "severity": "critical", **payload}
    return body


@dataclass
class Pipeline:
    """Alerts in, deliveries out. `shop` has a primary channel and a standby; `solo` has one channel only."""

    known_services: ClassVar[Sequence[str]] = ("shop", "solo")
    client: Any
    keys: Keys
    url: str
    max_attempts: int = 1000
    window: timedelta = timedelta(minutes=5)
    alerts: AlertService = field(init=False)
    delivery: DeliveryService = field(init=False)

    def __post_init__(self) -> None:
        self.ruled_by()
        rules = DeliveryRules(
            lease=timedelta(seconds=30),
            deadline=timedelta(seconds=2),
            max_attempts=self.max_attempts,
            max_deliveries=5,
            backoff_base=timedelta(seconds=1),
            backoff_cap=timedelta(seconds=60),
            sweep_after=timedelta(seconds=60),
        )
        self.delivery = DeliveryService(
            self.client, self.keys, self.routes(), self.dispatch(), rules, Teller(Metrics())
        )

    def ruled_by(self, **rules: Any) -> None:
        """Accept by these rules from now on: `inhibitions`, `flapping`, `router`, … of `AlertRules`."""
        windows = dict.fromkeys(self.known_services, self.window)
        self.alerts = AlertService(self.client, self.keys, AlertRules(windows, "shop", 500, 5, **rules))

    @property
    def current(self) -> CurrentAlerts:
        """The alerts as they stand."""
        return CurrentAlerts(self.client, self.keys)

    @property
    def silences(self) -> SilenceService:
        """What people do with silences."""
        store = RuleStore(self.client, self.keys)
        return SilenceService(store, self.current, Clock(self.client, self.keys), {"shop", "solo"})

    def silence(self, *matchers: str, minutes: float = 60, **draft: Any) -> str:
        """Put a silence in force; returns what the ledger calls it."""
        asked = {"author": "ann", "comment": "planned", "duration_seconds": 60 * minutes, **draft}
        return hold_name(self.silences.create(SilenceDraft(matchers=list(matchers), **asked)))

    def dispatch(self) -> Dispatch:
        return Dispatch(self.channels(), Letters(self.client, self.keys, NotificationBuilder))

    def channels(self) -> dict[str, PagerDutyEvents]:
        second = timedelta(seconds=1)
        return {
            "pagerduty": PagerDutyEvents(
                deadline=2 * second, attempts=1, throttle_pause=45 * second, key_pause=600 * second
            )
        }

    def routes(self) -> dict[str, Route]:
        url = f"{self.url}/v2/enqueue"
        primary = Address("primary", "pagerduty", url, {"kid-primary": PRIMARY_KEY})
        standby = Address("standby", "pagerduty", url, {"kid-standby": STANDBY_KEY})
        return {"shop": Route([primary, standby], DEADLINES), "solo": Route([primary], DEADLINES)}

    def submit(self, *alerts: Any, message: str | None = None) -> Any:
        """Submit as one task message would; returns the decisions."""
        return self.alerts.submit(message or new_event_id(), list(alerts)).alerts

    def receive(self, *alerts: Any) -> list[str]:
        """Put into the inbox as the gateway would; returns the event ids."""
        rows = [InboxRow(new_event_id(), one, "test") for one in alerts]
        Inbox(self.client, self.keys).put(rows)
        return [row.id for row in rows]

    def deliver(self) -> int:
        """Send what is due; returns how many were taken by the other side."""
        return self.delivery.drain().sent

    def event(self, event_id: str) -> dict[str, str]:
        """The row of one event."""
        return self.client.hgetall(self.keys.event(event_id))  # type: ignore[no-any-return]

    def state(self, event_id: str) -> str:
        """State and reason of one event, such as `dead key_rejected`."""
        row = self.event(event_id)
        return f"{row['state']} {row['reason']}".strip()

    def steps(self, event_id: str) -> list[str]:
        """The ledger's steps of one event, in order."""
        return [e["s"] for _, e in self.client.xrange(self.keys.ledger) if e["e"] == event_id]
