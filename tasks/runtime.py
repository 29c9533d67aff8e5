"""The only wiring: builds every service from the settings, once per process and only when asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from config.settings import load
from tasks.alerts.acceptance import AlertRules, flapping_rule
from tasks.alerts.current import CurrentAlerts
from tasks.alerts.holds import Inhibition
from tasks.alerts.routing import Router
from tasks.alerts.rule_store import RuleStore
from tasks.alerts.service import AlertService
from tasks.alerts.silence_requests import SilenceRequests
from tasks.alerts.silences import SilenceService
from tasks.audit.epochs import EpochWatch
from tasks.audit.service import AuditService
from tasks.audit.wiring import audit_rules
from tasks.escalations.wiring import freezer_of
from tasks.foundation import Foundation
from tasks.notifications.budgets import Budgets
from tasks.notifications.dead_letters import DeadLetters
from tasks.notifications.dispatch import Dispatch
from tasks.notifications.groups import Groups
from tasks.notifications.letter_care import LetterCare
from tasks.notifications.service import DeliveryService
from tasks.notifications.telling import Teller
from tasks.notifications.wiring import channels_of, delivery_rules, homes_of, letters_of, names_of, routes_of
from tasks.utils.slots import Slots
from tasks.webhooks.answers import Answers

if TYPE_CHECKING:
    from tasks.alerts.explain import Explainer
    from tasks.alerts.maintenance import Maintenance
    from tasks.audit.act_archive import ActArchive
    from tasks.backing_up import BackupWiring
    from tasks.cleaning import LogWiring
    from tasks.escalations.wiring import Escalations
    from tasks.health.examination import HealthService
    from tasks.health.service import OwnAlerts
    from tasks.incidents.receipts import Receipts
    from tasks.incidents.sync import IncidentSync
    from tasks.incidents.wiring import IncidentWiring
    from tasks.notifications.service import Route
    from tasks.rotating import RotationWiring
    from tasks.security.service import SecondFactors
    from tasks.tokens.grants import Grants
    from tasks.tokens.revocations import Revocations
    from tasks.utils.rest.client import RestClient
    from tasks.webhooks.wiring import WebhookWiring


class Runtime(Foundation):
    """The services of one process. Build a new one after a fork: connections must not be shared."""

    def renewed(self) -> None:
        """Turn to the keys that `settings` has now: whatever was made with the former ones is made anew."""
        for name in ("routes", "budgets", "webhooks", "health", "own_alerts"):
            made = vars(self).pop(name, None)
            if name == "own_alerts" and made is not None:
                made.close()
        if "delivery" in vars(self):
            self.delivery.turn_to(self.routes)

    @cached_property
    def teller(self) -> Teller:
        """Tells what came of attempts to deliver."""
        return Teller(self.metrics, self.errors)

    @cached_property
    def epochs(self) -> EpochWatch:
        """Notices that Redis lost everything."""
        rules = RuleStore(self.client, self.keys)
        folder = self.settings.state_dir / "ledger"
        return EpochWatch(self.client, self.keys, folder, rules.restore, self.slot_marks.restore)

    @cached_property
    def slots(self) -> Slots:
        """Claims of scheduled runs."""
        return Slots(self.client, self.keys, self.slot_marks, self.epochs.ask)

    @cached_property
    def own_alerts(self) -> OwnAlerts:
        """Watches over Tocsin itself."""
        from tasks.health.dead_man import DeadMan  # noqa: PLC0415 (only sentinels watch)
        from tasks.health.service import OwnAlerts  # noqa: PLC0415
        from tasks.health.wiring import own_rules  # noqa: PLC0415
        from tasks.notifications import direct_wiring as outside  # noqa: PLC0415

        settings = self.settings
        rules = own_rules(settings, outside.places_of(settings), outside.own_endpoints(settings))
        line, dead_man = outside.direct_line(settings, self.teller), DeadMan(outside.outside_post(settings))
        return OwnAlerts(self.client, self.keys, rules, line, dead_man)

    @cached_property
    def health(self) -> HealthService:
        """Looks at everything to say how Tocsin is."""
        from tasks.checking import health_service  # noqa: PLC0415 (few processes look)

        return health_service(self)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """Shows what could not be delivered."""
        return DeadLetters(self.client, self.keys)

    @cached_property
    def letter_care(self) -> LetterCare:
        """Gives dead letters another chance, or gives them up."""
        return LetterCare(self.client, self.keys)

    @cached_property
    def groups(self) -> Groups:
        """Shows what waits to be told together."""
        return Groups(self.client, self.keys)

    @cached_property
    def budgets(self) -> Budgets:
        """Shows how much of each key's minute is spent."""
        names: dict[str, set[str]] = {}
        for destination, route in self.routes.items():
            for address in route.addresses:
                for key in address.keys:
                    names.setdefault(key, set()).add(f"{destination} via {address.channel}")
        return Budgets(self.client, self.keys, names)

    @cached_property
    def endpoints(self) -> list[str]:
        """Everything that deliveries go to."""
        return sorted(names_of(self.routes))

    @cached_property
    def alerts(self) -> AlertService:
        """Accepts alerts."""
        return AlertService(self.client, self.keys, self.alert_rules, self.errors)

    @cached_property
    def alert_rules(self) -> AlertRules:
        """What decisions on alerts depend on."""
        settings = self.settings
        return AlertRules(
            dedup_windows={name: settings.dedup_window(name) for name in settings.services},
            default_service=settings.default_service,
            max_alerts=settings.ingest.max_alerts_per_message,
            max_tries=settings.delivery.max_deliveries,
            router=self.router,
            inhibitions=self.inhibitions,
            flapping={name: flapping_rule(settings.flapping_of(name)) for name in settings.services},
            escalates=freezer_of(settings) if settings.policies else None,
            fields=self.sealed_fields,
        )

    @cached_property
    def explainer(self) -> Explainer:
        """Says what would become of an alert."""
        from tasks.explaining import explainer  # noqa: PLC0415 (few processes explain)

        return explainer(self)

    @cached_property
    def inhibitions(self) -> list[Inhibition]:
        """The rules by which open alerts hold others back."""
        return [Inhibition(rule.name, rule.source, rule.target, rule.equal) for rule in self.settings.inhibition]

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

    @cached_property
    def current(self) -> CurrentAlerts:
        """The alerts as they stand."""
        return CurrentAlerts(self.client, self.keys)

    @cached_property
    def router(self) -> Router:
        """Knows every service's routes."""
        return Router(self.settings.services.values(), self.settings.grouping)

    @cached_property
    def routes(self) -> dict[str, Route]:
        """The way out of every destination."""
        return routes_of(self.settings, self.router.words.fallback)

    @cached_property
    def delivery(self) -> DeliveryService:
        """Delivers what is due."""
        letters = letters_of(
            self.settings, self.client, self.keys, self.teller, names_of(self.routes), self.sealed_fields
        )
        dispatch = Dispatch(channels_of(self.settings), letters, self.settings.delivery.in_flight)
        rules = delivery_rules(self.settings)
        return DeliveryService(
            self.client, self.keys, self.routes, dispatch, rules, self.teller, renew=self.renew_at_once
        )

    @cached_property
    def rest(self) -> RestClient:
        """Talks to PagerDuty's REST API; what must not use up its calls takes `rest.limited(share=0.3)`."""
        from tasks.utils.rest.wiring import rest_client  # noqa: PLC0415 (few processes ask PagerDuty)

        return rest_client(self.settings, self.client, self.keys, load)

    @cached_property
    def answers(self) -> Answers:
        """Takes in what PagerDuty says of our alerts."""
        return Answers(self.client, self.keys)

    @cached_property
    def webhooks(self) -> WebhookWiring:
        """What comes from PagerDuty by webhook, and what no webhook told."""
        from tasks.webhooks.wiring import WebhookWiring  # noqa: PLC0415 (few processes work off webhooks)

        rest = (lambda: self.rest) if self.settings.pagerduty.can_be_asked else None
        return WebhookWiring(self.client, self.keys, self.answers, homes_of(self.routes), rest, self.settings.pagerduty)

    @cached_property
    def incidents(self) -> IncidentWiring:
        """What is done to PagerDuty's incidents."""
        from tasks.acting import incident_wiring  # noqa: PLC0415 (few processes ask PagerDuty)

        return incident_wiring(self)

    @cached_property
    def incident_sync(self) -> IncidentSync:
        """Compares with PagerDuty's incidents."""
        from tasks.comparing import incident_sync  # noqa: PLC0415 (few processes ask PagerDuty)

        return incident_sync(self)

    @cached_property
    def receipts(self) -> Receipts:
        """Looks whether PagerDuty shows what it took."""
        from tasks.verifying import receipts  # noqa: PLC0415 (few processes ask PagerDuty)

        return receipts(self)

    @cached_property
    def escalations(self) -> Escalations:
        """What is done while nobody answers."""
        from tasks.escalating import escalations  # noqa: PLC0415 (few processes escalate)

        return escalations(self)

    @cached_property
    def maintenance(self) -> Maintenance:
        """Takes over PagerDuty's maintenance windows."""
        from tasks.acting import maintenance  # noqa: PLC0415 (one process at a time looks)

        return maintenance(self)

    @cached_property
    def revocations(self) -> Revocations:
        """Says and tells which access tokens are revoked."""
        from tasks.tokens.wiring import revocations_of  # noqa: PLC0415 (few processes ask)

        return revocations_of(self.settings, self.client, self.keys)

    @cached_property
    def grants(self) -> Grants:
        """Proofs that whoever sent a destructive task was allowed to."""
        from tasks.tokens.wiring import grants_of  # noqa: PLC0415 (few tasks are destructive)

        return grants_of(self.settings, self.client, self.keys, self.clock)

    @cached_property
    def second_factors(self) -> SecondFactors:
        """Second factors of persons."""
        from tasks.security.wiring import second_factors  # noqa: PLC0415 (asked for by shells only)

        return second_factors(self.settings, self.client, self.keys, self.clock, self.security)

    @cached_property
    def tokens(self) -> RotationWiring:
        """Replaces keys by new ones."""
        from tasks.rotating import RotationWiring  # noqa: PLC0415 (few processes rotate)

        return RotationWiring(self)

    @cached_property
    def logs(self) -> LogWiring:
        """Cleans up, and brings back what was cleaned up."""
        from tasks.cleaning import LogWiring  # noqa: PLC0415 (few processes clean up)

        return LogWiring(self)

    @cached_property
    def audit(self) -> AuditService:
        """Seals and proves."""
        return AuditService(self.client, self.keys, audit_rules(self.settings))

    @cached_property
    def act_archive(self) -> ActArchive:
        """Seals, checks and reads who did what."""
        from tasks.audit.wiring import act_archive  # noqa: PLC0415 (one process at a time seals)

        return act_archive(self.settings, self.client, self.keys, lambda: self.rest.limited(share=0.1))

    @cached_property
    def backups(self) -> BackupWiring:
        """Makes, verifies, restores and rehearses backups."""
        from tasks.backing_up import BackupWiring  # noqa: PLC0415 (few processes back up)

        return BackupWiring(self)
