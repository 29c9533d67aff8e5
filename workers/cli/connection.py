"""The settings as a verb needs them, and a quick look whether Redis is there."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.models import Settings


def current_settings() -> Settings:
    """The configuration; what it leaves open, with what `tocsin up` runs with on this machine: server, keys and sandbox.

    Call it before `workers.app` is imported: what it finds goes into the environment, for everything that reads it.
    """
    from config.settings import load

    _talk_on_stderr()
    settings = load()
    found = dict(_made_by_up(settings))
    if not found:
        return settings
    os.environ.update(found)
    return load()


def _talk_on_stderr() -> None:
    """Keep what the log says out of the answers on stdout; processes that keep a log set up their own."""
    import structlog

    if not structlog.is_configured():
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def _made_by_up(settings: Settings) -> Iterator[tuple[str, str]]:
    """What `tocsin up` has made up and keeps in the state folder, readable by its owner only."""
    url = settings.state_dir / "redis" / "url"
    if not settings.redis.is_given and url.is_file():
        yield "REDIS_URL", url.read_text("utf-8").strip()
    if settings.environment != "development":
        return
    secret = settings.state_dir / "jwt.secret"
    if settings.security.jwt_secret is None and secret.is_file():
        yield "JWT_SECRET_FILE", str(secret)
    sandbox = settings.state_dir / "sandbox.json"
    if not settings.pagerduty.can_be_asked and sandbox.is_file():
        yield from json.loads(sandbox.read_text("utf-8")).items()


def reach_redis() -> Settings:
    """The settings, once Redis has answered: Celery would retry for minutes before it says that nobody does."""
    from tasks.utils.connect import connect

    settings = current_settings()
    with connect(
        settings.redis.url.get_secret_value(),
        socket_timeout=settings.redis.socket_timeout.total_seconds(),
        connect_timeout=settings.redis.connect_timeout.total_seconds(),
    ) as client:
        client.ping()
    return settings
