"""The comparison with PagerDuty, put together of what several capabilities know: the part of the wiring beside `runtime`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tasks.alerts.recall import Recall
from tasks.health.adoption import Adoption
from tasks.incidents.sync import IncidentSync, SyncWorkers
from tasks.incidents.sync_wiring import owners_of, rest_keys, sync_rules
from tasks.webhooks.answers import take_in

if TYPE_CHECKING:
    from tasks.runtime import Runtime


def incident_sync(runtime: Runtime) -> IncidentSync:
    """It asks nobody where there is no key or app for the REST API, or where the settings say so."""
    settings = runtime.settings
    may_ask = settings.incidents.sync.enabled and settings.pagerduty.can_be_asked
    recall = Recall(runtime.router, runtime.clock, runtime.sealed_fields)
    owners = owners_of(settings, runtime.routes, recall, runtime.audit.known_alerts)
    workers = SyncWorkers(
        rest=runtime.rest if may_ask else None,
        rest_keys=rest_keys(runtime.routes),
        owners=owners,
        answers=partial(take_in, runtime.answers),
        rebuilt=(Adoption(runtime.client, runtime.keys).adopt, runtime.escalations.auditor.arm),
    )
    return IncidentSync(runtime.client, runtime.keys, workers, sync_rules(settings))
