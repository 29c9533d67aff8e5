"""The comparison with PagerDuty as the settings have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from config.routing import walk
from tasks.incidents.owners import Owners, Place
from tasks.incidents.sync import SyncRules

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from config.models import Settings
    from tasks.incidents.owners import Recall


BY_REST: Final = "pagerduty_incident"  # the kind of channel


def sync_rules(settings: Settings) -> SyncRules:
    """Bounds of a run."""
    sync = settings.incidents.sync
    return SyncRules(share=sync.share, grace=sync.grace, most_asked=sync.most_asked, lease=sync.lease)


def owners_of(
    settings: Settings,
    routes: Mapping[str, Any],
    recall: Recall,
    accepted: Callable[[Collection[str]], Collection[str]],
) -> Owners:
    """Whose alerts PagerDuty shows; `routes` is the way out of every destination (`tasks.notifications.service.Route`)."""
    return Owners(_places(routes), _reach(settings), recall, accepted)


def _places(routes: Mapping[str, Any]) -> Iterator[Place]:
    for destination, route in routes.items():
        for addresses, is_idle in ((route.addresses, False), (route.idle, True)):
            for address in addresses:
                if address.answers or address.kind == BY_REST:
                    yield from (Place(destination, address.channel, key_id, is_idle) for key_id in address.keys)


def rest_keys(routes: Mapping[str, Any]) -> dict[str, str]:
    """PagerDuty's services that get incidents over REST, without an integration key: id of the service -> key id of the channel."""
    addresses = [address for route in routes.values() for address in (*route.addresses, *route.idle)]
    return {a.options["service_id"]: a.current_key_id for a in addresses if a.kind == BY_REST}


def _reach(settings: Settings) -> dict[str, set[str]]:
    """Every destination the routes of a service may lead to."""
    return {
        service.name: {*service.destinations, *(route.service for route in walk(service.routes) if route.service)}
        for service in settings.services.values()
    }
