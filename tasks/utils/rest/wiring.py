"""The client as the settings want it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import redis

from tasks.utils.circuit_breaker import CircuitBreaker, breaker_rules
from tasks.utils.clock import Clock
from tasks.utils.rest.allowance import Allowance
from tasks.utils.rest.caller import Caller
from tasks.utils.rest.client import RestClient
from tasks.utils.rest.credentials import KeyCredentials
from tasks.utils.rest.line import Line
from tasks.utils.rest.oauth import App, OAuthCredentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.models import Settings
    from tasks.utils.keys import Keys
    from tasks.utils.rest.credentials import Credentials

BREAKER: Final = "pagerduty-rest"


def rest_client(settings: Settings, client: Any, keys: Keys, reread: Callable[[], Settings]) -> RestClient:
    """A client for this process; `reread` gives the settings as they are now, should the key be refused."""
    pagerduty = settings.pagerduty
    return RestClient(
        Caller(
            Line(pagerduty.api_url, pagerduty.api_timeout),
            credentials_of(settings, reread),
            Allowance(client, keys, settings.limits.rest_calls_per_minute),
            CircuitBreaker(BREAKER, client, keys, rules=breaker_rules(pagerduty.circuit_breaker)),
            pagerduty.retry_attempts,
            pagerduty.from_email,
        ),
        _now(Clock(client, keys)),
    )


def _now(clock: Clock) -> Callable[[], datetime]:
    """The fleet's clock, or this machine's while Redis is away: it only says where a long list is parted."""

    def now() -> datetime:
        try:
            return clock.now()
        except redis.RedisError:
            return datetime.now(UTC)

    return now


def credentials_of(settings: Settings, reread: Callable[[], Settings]) -> Credentials:
    """The app's, where one is set; else the key."""
    oauth = settings.pagerduty.oauth
    if not (oauth.client_id and oauth.client_secret):
        return KeyCredentials(_reading(settings, reread))
    account = f"{oauth.region}.{oauth.subdomain}"
    app = App(oauth.client_id, oauth.client_secret.get_secret_value(), account, tuple(oauth.scopes.split()))
    return OAuthCredentials(app, Line(oauth.token_url, settings.pagerduty.api_timeout))


def _reading(settings: Settings, reread: Callable[[], Settings]) -> Callable[[], str | None]:
    """Gives the key of the settings at hand, then of those read anew."""
    known = [settings]

    def read() -> str | None:
        key = (known.pop() if known else reread()).pagerduty.api_key
        return key.get_secret_value() if key else None

    return read
