"""Which alerts of ours an incident of PagerDuty stands for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tasks.utils.error_handler import UnknownError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tasks.alerts.current import CurrentAlerts
    from tasks.alerts.models import AlertView
    from tasks.utils.keys import Keys


class OurAlerts:
    """Finds them, for as long as Redis knows them."""

    def __init__(self, client: Any, keys: Keys, current: CurrentAlerts) -> None:
        self._client = client
        self._keys = keys
        self._current = current

    def of(self, incident_id: str, wire_keys: Sequence[str]) -> list[AlertView]:
        """The alerts an incident is known to stand for; before PagerDuty has shown it to us, those of its dedup keys."""
        lines = str(self._client.hget(self._keys.incidents, incident_id) or "")
        if not lines and wire_keys:
            lines = "\n".join(found for found in self._client.hmget(self._keys.wired, list(wire_keys)) if found)
        owners = dict.fromkeys(line.partition(" ")[2] for line in lines.splitlines() if line)
        return [view for owner in owners for view in self._views(owner)]

    def _views(self, owner: str) -> Iterable[AlertView]:
        """An alert itself; of a group its members."""
        uids = self._client.hkeys(self._keys.members(owner)) or [owner]
        for uid in uids:
            with suppress(UnknownError):
                yield self._current.get(self._client.hget(self._keys.alert(uid), "copy_of") or uid)
