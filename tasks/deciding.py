"""What decides on alerts, as the settings have it. A part of the wiring."""

from __future__ import annotations

from functools import cached_property

from tasks.alerts.acceptance import AlertRules, flapping_rule
from tasks.alerts.current import CurrentAlerts
from tasks.alerts.holds import Inhibition
from tasks.alerts.routing import Router
from tasks.alerts.rule_store import RuleStore
from tasks.alerts.service import AlertService
from tasks.alerts.silence_requests import SilenceRequests
from tasks.alerts.silences import SilenceService
from tasks.escalations.freezing import Freezer
from tasks.escalations.wiring import policies_of
from tasks.foundation import Foundation


class Decisions(Foundation):
    """Accepts alerts, and knows the rules, silences and routes that they meet."""

    @cached_property
    def alerts(self) -> AlertService:
        """Accepts alerts."""
        return AlertService(self.client, self.keys, self.alert_rules, self.errors)

    @cached_property
    def alert_rules(self) -> AlertRules:
        """What decisions on alerts depend on."""
        settings = self.settings
        policies = policies_of(settings)  # of services that name one; where none does, nobody asks for the time
        return AlertRules(
            dedup_windows={name: settings.dedup_window(name) for name in settings.services},
            default_service=settings.default_service,
            max_alerts=settings.ingest.max_alerts_per_message,
            max_tries=settings.delivery.max_deliveries,
            router=self.router,
            inhibitions=self.inhibitions,
            flapping={name: flapping_rule(settings.flapping_of(name)) for name in settings.services},
            escalates=Freezer(policies) if policies else None,
            fields=self.sealed_fields,
        )

    @cached_property
    def inhibitions(self) -> list[Inhibition]:
        """The rules by which open alerts hold others back."""
        return [Inhibition(rule.name, rule.source, rule.target, rule.equal) for rule in self.settings.inhibition]

    @cached_property
    def router(self) -> Router:
        """Knows every service's routes."""
        return Router(self.settings.services.values(), self.settings.grouping)

    @cached_property
    def current(self) -> CurrentAlerts:
        """The alerts as they stand."""
        return CurrentAlerts(self.client, self.keys)

    @cached_property
    def silences(self) -> SilenceService:
        """Creates, lists and ends silences and maintenance windows."""
        services = self.settings.services
        encrypted = {name: service.encrypt_fields for name, service in services.items()}
        return SilenceService(RuleStore(self.client, self.keys), self.current, self.clock, services, encrypted)

    @cached_property
    def silence_requests(self) -> SilenceRequests:
        """Silences as a task's arguments ask for them."""
        return SilenceRequests(self.silences)
