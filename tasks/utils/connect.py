"""Redis clients with every time-out said aloud: the library's defaults retry for half a minute."""

from __future__ import annotations

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(url: str, *, socket_timeout: float = 5.0, connect_timeout: float = 3.0) -> Any:
    """A client for rows and scripts: text answers, one quick second try on a broken connection, no more."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=socket_timeout,
        socket_connect_timeout=connect_timeout,
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
    )
