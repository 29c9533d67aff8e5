"""What says what would become of an alert, put together of what several capabilities know: a part of the wiring beside `runtime`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.alerts.explain import Explainer
from tasks.alerts.explanation import ChannelView
from tasks.alerts.rule_store import RuleStore
from tasks.alerts.standing import Standings

if TYPE_CHECKING:
    from tasks.runtime import Runtime


def explainer(runtime: Runtime) -> Explainer:
    """It knows rules, routes and channels as deliveries do."""
    store = RuleStore(runtime.client, runtime.keys, runtime.inhibitions)
    channels = {
        destination: [
            ChannelView(
                name=address.channel,
                kind=address.kind,
                key_id=address.current_key_id,
                takes_changes=address.takes_changes,
            )
            for address in route.addresses
        ]
        for destination, route in runtime.routes.items()
    }
    standings = Standings(runtime.client, runtime.keys, store)
    services = runtime.settings.services
    return Explainer(runtime.alert_rules, runtime.router, services, channels, standings, runtime.clock)
