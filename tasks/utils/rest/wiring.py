"""The client as the settings want it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import redis

from config.environment import secret_files
from tasks.utils.circuit_breaker import CircuitBreaker, breaker_rules
from tasks.utils.clock import Clock
from tasks.utils.rest.allowance import Allowance
from tasks.utils.rest.caller import Caller
from tasks.utils.rest.client import RestClient
from tasks.utils.rest.credentials import KeyCredentials
from tasks.utils.rest.key_board import FormerKeys
from tasks.utils.rest.line import Line
from tasks.utils.rest.oauth import App, OAuthCredentials
from tasks.utils.rest.token_board import TokenBoard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from config.models import Settings
    from tasks.utils.keys import Keys
    from tasks.utils.rest.credentials import Credentials
    from tasks.utils.rest.key_board import KeyBoard
    from tasks.utils.rest.token_board import Board

BREAKER: Final = "pagerduty-rest"
KEY_NAMES: Final = ("PAGERDUTY_API_KEY", "TOCSIN_PAGERDUTY__API_KEY")


def rest_client(
    settings: Settings, client: Any, keys: Keys, reread: Callable[[], Settings], file: Path | None = None
) -> RestClient:
    """A client for this process; `reread` gives the settings as they are now, should the key be refused or its file have changed.

    What becomes of keys that were replaced in that file is kept.
    """
    pagerduty = settings.pagerduty
    return RestClient(
        Caller(
            Line(pagerduty.api_url, pagerduty.api_timeout),
            shared_credentials(settings, client, keys, reread, file),
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


def shared_credentials(
    settings: Settings, client: Any, keys: Keys, reread: Callable[[], Settings], file: Path | None
) -> Credentials:
    """The account's, for one process of many: what becomes of its tokens, and of keys that were replaced in `file`, is told to all."""
    former = FormerKeys(client, keys) if file else None
    return credentials_of(settings, reread, board_of(settings, client, keys), file, former)


def board_of(settings: Settings, client: Any, keys: Keys) -> TokenBoard | None:
    """Where processes tell of the access tokens of the app; None where there is no app."""
    app = settings.pagerduty.oauth.client_id
    return TokenBoard(client, keys, app) if app else None


def credentials_of(
    settings: Settings,
    reread: Callable[[], Settings],
    tokens: Board | None = None,
    file: Path | None = None,
    former: KeyBoard | None = None,
) -> Credentials:
    """The app's, where one is set; else the key. Read anew should PagerDuty refuse them."""
    known = [settings]

    def now() -> Settings:
        return known.pop() if known else reread()

    if settings.pagerduty.oauth.client_id:
        line = Line(settings.pagerduty.oauth.token_url, settings.pagerduty.api_timeout)
        return OAuthCredentials(lambda: _app_of(now()), line, tokens)
    return KeyCredentials(lambda: _key_of(now()), file, former)


def key_file(environ: Mapping[str, str]) -> Path | None:
    """The file that the REST key comes from, if it comes from one."""
    files = secret_files(environ)
    return next((files[name] for name in KEY_NAMES if name in files and not environ.get(name)), None)


def _app_of(settings: Settings) -> App:
    oauth = settings.pagerduty.oauth
    secret = oauth.client_secret.get_secret_value() if oauth.client_secret else ""
    return App(oauth.client_id or "", secret, f"{oauth.region}.{oauth.subdomain}", tuple(oauth.scopes.split()))


def _key_of(settings: Settings) -> str | None:
    key = settings.pagerduty.api_key
    return key.get_secret_value() if key else None
