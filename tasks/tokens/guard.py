"""Whether destructive acts are guarded here: by the settings, or because this Redis is known to be a production's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from config.models import Settings
    from tasks.utils.keys import Keys

log = structlog.get_logger("tocsin.guard")


class Guard:
    """Every process of a production marks its Redis; whoever finds the mark acts as production does, whatever it calls itself.

    Else it would take no more than another ENVIRONMENT in one shell or unit file to destroy what is production's.
    """

    def __init__(self, settings: Settings, client: Any, keys: Keys) -> None:
        self._environment = settings.environment
        self._by_settings = settings.guards_acts
        self._client = client
        self._key = keys.guarded
        self._has_warned = False

    def is_on(self) -> bool:
        """Whether destructive acts need authority, asked now; RedisError where that cannot be known."""
        return self._by_settings or bool(self._client.exists(self._key))

    def keep(self) -> None:
        """Mark the Redis of a production; elsewhere say once that it bears the mark."""
        if self._environment == "production":
            self._client.set(self._key, "production", nx=True)
        elif not self._has_warned and self._client.exists(self._key):
            self._has_warned = True
            log.warning("redis_of_a_production", environment=self._environment, meaning=self.why)

    @property
    def why(self) -> str:
        """What the mark means, and how a person takes it off."""
        return (
            "this Redis is marked as a production's, so destructive acts need a second factor, a service identity or a"
            f" grant here. If it is none, `redis-cli DEL {self._key}` takes the mark off"
        )
