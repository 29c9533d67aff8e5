"""The only wiring: builds every service from the settings, once per process and only when asked for."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any

from config.settings import load
from tasks.alerts.service import AlertRules, AlertService
from tasks.audit.service import AuditService
from tasks.audit.wiring import audit_rules
from tasks.notifications.channels.pagerduty import PagerDutyEvents
from tasks.notifications.channels.protocol import Address
from tasks.notifications.service import DeliveryRules, DeliveryService, Route
from tasks.utils.clock import Clock
from tasks.utils.connect import connect
from tasks.utils.graves import Graves
from tasks.utils.keys import Keys
from tasks.utils.messages import MessageGuard
from tasks.utils.metrics_collector import Metrics
from tasks.utils.rows import milliseconds
from tasks.utils.slots import Slots

if TYPE_CHECKING:
    from config.models import Settings
    from config.sections import Severity
    from config.services import Channel, Service


class Runtime:
    """The services of one process. Build a new one after a fork: connections must not be shared."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings

    @cached_property
    def settings(self) -> Settings:
        """The configuration, read once."""
        return self._settings or load()

    @cached_property
    def keys(self) -> Keys:
        """The names of all Redis keys."""
        return Keys(self.settings.redis.prefix)

    @cached_property
    def client(self) -> Any:
        """The Redis client of rows and scripts."""
        redis = self.settings.redis
        return connect(
            redis.url.get_secret_value(),
            socket_timeout=redis.socket_timeout.total_seconds(),
            connect_timeout=redis.connect_timeout.total_seconds(),
        )

    @cached_property
    def clock(self) -> Clock:
        """The fleet's one clock."""
        return Clock(self.client, self.keys)

    @cached_property
    def metrics(self) -> Metrics:
        """Counters of this process."""
        return Metrics()

    @cached_property
    def slots(self) -> Slots:
        """Claims of scheduled runs."""
        return Slots(self.client, self.keys)

    @cached_property
    def messages(self) -> MessageGuard:
        """Delivery counters of messages."""
        return MessageGuard(self.client, self.keys, self.settings.delivery.max_deliveries)

    @cached_property
    def graves(self) -> Graves:
        """Dead letters made of raw messages."""
        return Graves(self.client, self.keys)

    @cached_property
    def alerts(self) -> AlertService:
        """Accepts alerts."""
        settings = self.settings
        rules = AlertRules(
            dedup_windows={name: settings.dedup_window(name) for name in settings.services},
            default_service=settings.default_service,
            max_alerts=settings.ingest.max_alerts_per_message,
            max_tries=settings.delivery.max_deliveries,
        )
        return AlertService(self.client, self.keys, rules)

    @cached_property
    def delivery(self) -> DeliveryService:
        """Delivers what is due."""
        settings = self.settings
        delivery = settings.delivery
        channels = {
            "pagerduty": PagerDutyEvents(
                deadline=delivery.deadline,
                attempts=settings.pagerduty.retry_attempts,
                throttle_pause=delivery.throttle_pause,
                key_pause=delivery.key_pause,
            )
        }
        rules = DeliveryRules(
            lease=delivery.lease,
            deadline=delivery.deadline,
            max_attempts=delivery.max_attempts,
            max_deliveries=delivery.max_deliveries,
            backoff_base=delivery.backoff_base,
            backoff_cap=delivery.backoff_cap,
            sweep_after=2 * delivery.lease,
        )
        routes = {name: self._route(service) for name, service in settings.services.items()}
        return DeliveryService(self.client, self.keys, routes, channels, rules, self.metrics)

    @cached_property
    def audit(self) -> AuditService:
        """Seals and proves."""
        return AuditService(self.client, self.keys, audit_rules(self.settings))

    def _route(self, service: Service) -> Route:
        severities: tuple[Severity, ...] = ("critical", "error", "warning", "info")
        deadlines: dict[str, int] = {
            name: milliseconds(self.settings.severity_deadline(service.name, name)) for name in severities
        }
        return Route(
            addresses=[self._address(channel) for channel in service.channels],
            deadlines_ms=deadlines,
            owner=service.team or service.name,
        )

    def _address(self, channel: Channel) -> Address:
        base = channel.events_url or self.settings.pagerduty.events_url
        secrets = [channel.routing_key, *channel.retired_keys]
        keys = {key_id(secret.get_secret_value()): secret.get_secret_value() for secret in secrets}
        return Address(channel=channel.name, kind=channel.kind, url=f"{base.rstrip('/')}/v2/enqueue", keys=keys)


def key_id(key: str) -> str:
    """The name a routing key goes by in rows, logs and the ledger; the key itself never does."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]
