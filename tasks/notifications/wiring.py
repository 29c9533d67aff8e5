"""The ways out as the settings have them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from config.channels import EmailChannel, IncidentChannel, PagerDutyChannel, WebhookChannel
from tasks.notifications.channels.lazy import Lazy
from tasks.notifications.channels.makers import makers
from tasks.notifications.channels.protocol import Address
from tasks.notifications.dispatch import Dispatch
from tasks.notifications.letters import Letters
from tasks.notifications.service import DeliveryRules, DeliveryService, Route
from tasks.utils.circuit_breaker import breaker_rules
from tasks.utils.identifiers import key_id
from tasks.utils.rows import milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from config.channels import Channel as ChannelSetting
    from config.models import Settings
    from config.pagerduty import PagerDuty
    from config.sections import Severity
    from config.services import Service
    from tasks.notifications.channels.protocol import Channel
    from tasks.notifications.letters import Builder
    from tasks.notifications.telling import Teller
    from tasks.utils.keys import Keys
    from tasks.utils.sealed_fields import SealedFields


NAMES: Final = {
    "pagerduty": "PagerDuty",
    "pagerduty_incident": "PagerDuty's REST API",
    "slack": "Slack",
    "teams": "Teams",
    "email": "SMTP",
}


def channels_of(settings: Settings) -> dict[str, Channel]:
    """The channels by their kind."""
    return {kind: Lazy(partial(make, settings)) for kind, make in makers().items()}


def letters_of(
    settings: Settings,
    client: Any,
    keys: Keys,
    teller: Teller,
    names: Mapping[str, str] | None = None,
    fields: SealedFields | None = None,
) -> Letters:
    """The words for every channel, by the templates of the configuration; `names` is what people call the endpoints."""

    def make_builder() -> Builder:
        from tasks.utils.notification_builder import NotificationBuilder  # noqa: PLC0415 - templates take long to import

        return NotificationBuilder(settings.config_dir / "templates", report=teller.template_broken)

    return Letters(client, keys, make_builder, names, fields)


def delivery_service(
    settings: Settings, letters: Letters, client: Any, keys: Keys, teller: Teller, routes: Mapping[str, Route]
) -> DeliveryService:
    """Delivers what is due by these ways out."""
    dispatch = Dispatch(channels_of(settings), letters, settings.delivery.in_flight)
    return DeliveryService(client, keys, routes, dispatch, delivery_rules(settings), teller)


def users_of(routes: Mapping[str, Route]) -> dict[str, set[str]]:
    """Who sends with each key, in words, by the key's id."""
    names: dict[str, set[str]] = {}
    for destination, route in routes.items():
        for address in route.addresses:
            for key in address.keys:
                names.setdefault(key, set()).add(f"{destination} via {address.channel}")
    return names


def delivery_rules(settings: Settings) -> DeliveryRules:
    """Bounds of delivery."""
    delivery = settings.delivery
    return DeliveryRules(
        lease=delivery.lease,
        deadline=delivery.deadline,
        max_attempts=delivery.max_attempts,
        max_deliveries=delivery.max_deliveries,
        backoff_base=delivery.backoff_base,
        backoff_cap=delivery.backoff_cap,
        sweep_after=2 * delivery.lease,
        breaker=breaker_rules(settings.pagerduty.circuit_breaker),
        look_after=settings.receipts.look_after if settings.can_verify else None,
    )


def routes_of(settings: Settings, news_of: Callable[[Service], str]) -> dict[str, Route]:
    """The way out of every destination; `news_of` says how a service's alerts are grouped that fall back on a channel for people."""
    return {
        destination: _route(settings, service, names, news_of(service))
        for service in settings.services.values()
        for destination, names in service.destinations.items()
    }


def names_of(routes: Mapping[str, Route]) -> dict[str, str]:
    """What people call each endpoint."""
    found: dict[str, str] = {}
    for route in routes.values():
        for address in (*route.addresses, *route.idle):
            if address.endpoint:
                found.setdefault(address.endpoint, NAMES.get(address.kind) or urlsplit(address.endpoint).hostname or "")
    return found


def homes_of(routes: Mapping[str, Route]) -> dict[str, str]:
    """The keys whose other side answers: key id -> the PagerDuty service it leads to, '' where the configuration does not say."""
    addresses = (address for route in routes.values() for address in (*route.addresses, *route.idle))
    return {
        key: address.options.get("service_id", "") for address in addresses if address.answers for key in address.keys
    }


def address_of(channel: ChannelSetting, pagerduty: PagerDuty) -> Address:
    """Where a channel leads; `pagerduty` says what the channel does not."""
    limit = 0
    options: dict[str, Any] = {"locale": channel.locale, "template": channel.template}
    if isinstance(channel, PagerDutyChannel):
        url = f"{(channel.events_url or pagerduty.events_url).rstrip('/')}/v2/enqueue"
        own = channel.events_per_minute
        limit = pagerduty.events_per_minute if own is None else own
        secrets = (channel.routing_key, *channel.retired_keys)
        keys = {key_id(secret.get_secret_value()): secret.get_secret_value() for secret in secrets}
    elif isinstance(channel, IncidentChannel):
        url, key = pagerduty.api_url, channel.api_key.get_secret_value() if channel.api_key else ""
        keys = {key_id(f"{key} {channel.service_id}"): key}  # '': the account's, which may be another one tomorrow
        options |= _incident_options(channel, pagerduty)
    elif isinstance(channel, EmailChannel):
        url, key = "", " ".join((*channel.to, *channel.cc))
        keys = {key_id(key): key}
        options |= {"to": channel.to, "cc": channel.cc}
    elif isinstance(channel, WebhookChannel):
        url, key = channel.url.get_secret_value(), channel.secret.get_secret_value()
        keys = {key_id(key + url): key}
        options |= {"allow_private": channel.allow_private}
    else:
        url = key = channel.webhook_url.get_secret_value()
        keys = {key_id(key): key}
        options |= {"allow_private": channel.allow_private}
    return Address(channel=channel.name, kind=channel.kind, url=url, keys=keys, limit=limit, options=options)


def _incident_options(channel: IncidentChannel, pagerduty: PagerDuty) -> dict[str, Any]:
    return {
        "service_id": channel.service_id,
        "escalation_policy": channel.escalation_policy,
        "urgencies": channel.urgencies.model_dump(),
        "priorities": channel.priorities.model_dump(exclude_none=True),
        "from_email": channel.from_email or pagerduty.from_email,
    }


def whole_address(settings: Settings, channel: ChannelSetting) -> Address:
    """Where a channel leads, and how fast it may be used."""
    interval = getattr(settings.limits, channel.kind, timedelta(0))
    return replace(
        address_of(channel, settings.pagerduty),
        server=f"smtp://{settings.email.host}:{settings.email.port}" if isinstance(channel, EmailChannel) else "",
        pace=f"{milliseconds(interval)} {settings.limits.burst}",
    )


def _route(settings: Settings, service: Service, names: Sequence[str], news: str) -> Route:
    severities: tuple[Severity, ...] = ("critical", "error", "warning", "info")
    deadlines: dict[str, int] = {
        name: milliseconds(settings.severity_deadline(service.name, name)) for name in severities
    }
    addresses = {channel.name: whole_address(settings, channel) for channel in service.channels}
    return Route(
        addresses=[addresses.pop(name) for name in names],
        deadlines_ms=deadlines,
        owner=service.team or service.name,
        news=news,
        idle=list(addresses.values()),
    )
