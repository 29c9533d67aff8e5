"""Which endpoints are left alone, read without holding up the gateway's loop."""

from typing import Any

from tasks.utils.breakers import view_of
from tasks.utils.keys import Keys


class OpenBreakers:
    """Reads breakers; usually there is none to read."""

    def __init__(self, redis: Any, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    async def open_ones(self) -> list[str]:
        """The names of those that are open now."""
        names = await self._redis.zrange(self._keys.breakers, 0, -1)
        if not names:
            return []
        seconds, micros = await self._redis.time()
        now = int(seconds) * 1000 + int(micros) // 1000 + int(await self._redis.get(self._keys.clock) or 0)
        views = [view_of(name, await self._redis.hgetall(self._keys.breaker(name)), now) for name in names]
        return [view.name for view in views if view.is_shut]
