"""How each kind of channel is made from the settings. Imports are inside: an HTTP client takes long to import."""
# ruff: noqa: PLC0415

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.models import Settings
    from tasks.notifications.channels.posting import Poster
    from tasks.notifications.channels.protocol import Channel


def makers() -> Mapping[str, Callable[[Settings], Channel]]:
    """A maker for every kind of channel that config/channels.py knows."""
    return {
        "pagerduty": _pagerduty,
        "pagerduty_incident": _pagerduty_incident,
        "slack": _slack,
        "teams": _teams,
        "email": _email,
        "webhook": _webhook,
    }


def _pagerduty(settings: Settings) -> Channel:
    from tasks.notifications.channels.pagerduty import PagerDutyEvents

    delivery = settings.delivery
    return PagerDutyEvents(
        deadline=delivery.deadline,
        attempts=settings.pagerduty.retry_attempts,
        throttle_pause=delivery.throttle_pause,
        key_pause=delivery.key_pause,
    )


def _pagerduty_incident(settings: Settings) -> Channel:
    from config.settings import load
    from tasks.notifications.channels.incident import PagerDutyIncident
    from tasks.utils.connect import connect
    from tasks.utils.keys import Keys
    from tasks.utils.rest.allowance import Allowance
    from tasks.utils.rest.wiring import key_file, shared_credentials

    delivery, redis, keys = settings.delivery, settings.redis, Keys(settings.redis.prefix)
    client = connect(redis.url.get_secret_value(), socket_timeout=redis.socket_timeout.total_seconds())
    return PagerDutyIncident(
        poster(settings),
        deadline=delivery.deadline,
        throttle_pause=delivery.throttle_pause,
        key_pause=delivery.key_pause,
        allowance=Allowance(client, keys, settings.limits.rest_calls_per_minute),
        account=shared_credentials(settings, client, keys, load, key_file(os.environ)),
    )


def _slack(settings: Settings) -> Channel:
    from tasks.notifications.channels.slack import SlackHook

    return SlackHook(poster(settings))


def _teams(settings: Settings) -> Channel:
    from tasks.notifications.channels.teams import TeamsHook

    return TeamsHook(poster(settings))


def _webhook(settings: Settings) -> Channel:
    from tasks.notifications.channels.webhook import SignedWebhook

    return SignedWebhook(poster(settings))


def poster(settings: Settings) -> Poster:
    """What channels over HTTP post by, within the bounds of the settings."""
    from tasks.notifications.channels.posting import Poster

    delivery = settings.delivery
    return Poster(
        deadline=delivery.deadline,
        attempts=settings.pagerduty.retry_attempts,
        throttle_pause=delivery.throttle_pause,
        key_pause=delivery.key_pause,
    )


def _email(settings: Settings) -> Channel:
    from tasks.notifications.channels.email import Mailer, MailServer

    email = settings.email
    server = MailServer(
        host=email.host or "",
        port=email.port,
        sender=email.sender or "",
        username=email.username or "",
        password=email.password.get_secret_value() if email.password else "",
        starttls=email.starttls == "required",
        ca_file=email.ca_file,
    )
    deadline = min(email.timeout, settings.delivery.deadline)
    return Mailer(server, deadline=deadline, key_pause=settings.delivery.key_pause)
