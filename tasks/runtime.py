"""The only wiring: builds every service from the settings, once per process and only when asked for."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from config.settings import load
from tasks.alerts.rule_store import RuleStore
from tasks.audit.epochs import EpochWatch
from tasks.audit.service import AuditService
from tasks.audit.wiring import audit_rules
from tasks.delivering import Deliveries
from tasks.notifications.wiring import homes_of
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
    from tasks.rotating import RotationWiring
    from tasks.security.service import SecondFactors
    from tasks.tokens.grants import Grants
    from tasks.tokens.guard import Guard
    from tasks.tokens.revocations import Revocations
    from tasks.utils.rest.client import RestClient
    from tasks.webhooks.wiring import WebhookWiring


class Runtime(Deliveries):
    """The services of one process. Build a new one after a fork: connections must not be shared."""

    def renewed(self) -> None:
        """Turn to the keys that `settings` has now: whatever was made with the former ones is made anew."""
        for name in ("routes", "budgets", "webhooks", "health", "own_alerts", "incident_sync", "receipts"):
            vars(self).pop(name, None)  # connections of own alerts go with them
        if "delivery" in vars(self):
            self.delivery.turn_to(self.routes)

    def rekeyed(self) -> None:
        """Turn to the encryption keys that `settings` has now: what was derived from them is derived anew."""
        for name in ("audit", "act_archive", "grants", "logs", "backups"):
            vars(self).pop(name, None)

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
    def explainer(self) -> Explainer:
        """Says what would become of an alert."""
        from tasks.explaining import explainer  # noqa: PLC0415 (few processes explain)

        return explainer(self)

    @cached_property
    def rest(self) -> RestClient:
        """Talks to PagerDuty's REST API; what must not use up its calls takes `rest.limited(share=0.3)`."""
        from tasks.utils.rest.wiring import key_file, rest_client  # noqa: PLC0415 (few processes ask PagerDuty)

        return rest_client(self.settings, self.client, self.keys, load, key_file(os.environ))

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
    def guard(self) -> Guard:
        """Whether destructive acts need authority."""
        from tasks.tokens.guard import Guard  # noqa: PLC0415 (few tasks are destructive)

        return Guard(self.settings, self.client, self.keys)

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
        return AuditService(self.client, self.keys, audit_rules(self.settings), self.epochs.ask)

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
