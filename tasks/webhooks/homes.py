"""Which PagerDuty services our routing keys lead to: asked for only where one dedup key is on the way of several of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.clock import Clock
from tasks.utils.identifiers import key_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient

FRESH_FOR: Final = timedelta(minutes=10)
ASKED: Final = "!asked"  # field of K.homes: when, in seconds


class Homes:
    """Keeps for each of our keys the PagerDuty services it leads to. `ours`: key id -> the service, '' where only PagerDuty knows."""

    def __init__(self, client: Any, keys: Keys, ours: Mapping[str, str]) -> None:
        self._client = client
        self._key = keys.homes
        self._clock = Clock(client, keys)
        self._ours = ours

    def refresh(self, rest: RestClient) -> bool:
        """Ask PagerDuty, unless that was done a moment ago; whether it was done now."""
        now = self._clock.now().timestamp()
        if now - float(self._client.hget(self._key, ASKED) or 0) < FRESH_FOR.total_seconds():
            return False
        found = {one: {service} for one, service in self._ours.items() if service}
        for service in rest.services.list(include=["integrations"]):
            for integration in service.get("integrations") or ():
                key = integration.get("integration_key")
                if isinstance(key, str) and key_id(key) in self._ours:
                    found.setdefault(key_id(key), set()).add(service["id"])
        homes = {one: " ".join(sorted(services)) for one, services in found.items()}
        self._client.hset(self._key, mapping={**homes, ASKED: str(now)})
        return True
