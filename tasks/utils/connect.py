"""Redis clients with every time-out said aloud: the library's defaults retry for half a minute."""

from __future__ import annotations

import re
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tasks.utils.keys import Keys

AWAY: Final = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.BusyLoadingError,
    redis.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.MasterDownError,
)
REFUSES_EVERYBODY: Final = (
    "MISCONF",
    "NOREPLICAS",
    "BUSY ",
    "UNKILLABLE",
)  # its disk, its replicas, a script of somebody's
SOCKET_SCHEMES: Final = re.compile(r"^redis\+(socket|unix)://")  # Celery's names for what redis-py calls unix


def is_away(error: BaseException) -> bool:
    """Whether the server is not there, or refuses for the time being whatever it is told: trying again later helps."""
    return isinstance(error, AWAY) or (
        isinstance(error, redis.ResponseError) and str(error).startswith(REFUSES_EVERYBODY)
    )


def connect(url: str, *, socket_timeout: float = 5.0, connect_timeout: float = 3.0) -> Any:
    """A client for rows and scripts: text answers, one quick second try on a broken connection, no more."""
    return redis.Redis.from_url(
        SOCKET_SCHEMES.sub("unix://", url),
        decode_responses=True,
        socket_timeout=socket_timeout,
        socket_connect_timeout=connect_timeout,
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
    )


def open_configured() -> tuple[Any, Keys]:
    """A client of the configured server and its key names, for scripts without any wiring. Raises ConfigError."""
    from config.settings import load  # noqa: PLC0415 - only scripts without wiring read settings here

    settings = load()
    return connect(settings.redis.url.get_secret_value()), Keys(settings.redis.prefix)
