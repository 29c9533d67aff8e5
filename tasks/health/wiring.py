"""The watch over Tocsin itself as the settings have it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from config.values import mask_redis_url
from tasks.health.conditions import Limits
from tasks.health.service import OwnRules
from tasks.utils.rows import milliseconds
from tasks.utils.spool import SPOOL_FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.models import Settings
    from tasks.utils.places import Place

MEMORY: Final = "own-alerts.json"  # in the state folder


def limits_of(settings: Settings, places: Mapping[str, Place]) -> Limits:
    """From where on something is amiss."""
    own = settings.own_alerts
    return Limits(
        late_after=milliseconds(own.late_after),
        failing_after=milliseconds(own.failing_after),
        memory_percent=own.memory_percent,
        spool_percent=own.spool_percent,
        spool_bytes=settings.spool.max_bytes,
        dead_letters=own.dead_letters,
        quotas={name: settings.quota(name) for name in settings.services},
        places=places,
    )


def own_rules(settings: Settings, places: Mapping[str, Place], own_endpoints: frozenset[str]) -> OwnRules:
    """Thresholds and names."""
    own = settings.own_alerts
    return OwnRules(
        service=settings.own_service.name,
        host=socket.gethostname(),
        server=mask_redis_url(settings.redis.url.get_secret_value()).partition("://")[2].rpartition("@")[2],
        spool=settings.state_dir / SPOOL_FOLDER,
        memory=settings.state_dir / MEMORY,
        limits=limits_of(settings, places),
        own_endpoints=own_endpoints,
        every=own.every,
        raise_after=own.raise_after,
        resolve_after=own.resolve_after,
    )
