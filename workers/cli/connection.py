"""The settings as a verb needs them, and a quick look whether Redis is there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.models import Settings


def current_settings() -> Settings:
    """The configuration; where it names no Redis, with the embedded one that `tocsin up` runs on this machine.

    Call it before `workers.app` is imported: what it finds goes into the environment, for everything that reads it.
    """
    from config.settings import load

    settings = load()
    note = settings.state_dir / "redis" / "url"  # written by deploy.local, readable by its owner only
    if settings.redis.is_given or not note.is_file():
        return settings
    os.environ["REDIS_URL"] = note.read_text("utf-8").strip()
    return load()


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
