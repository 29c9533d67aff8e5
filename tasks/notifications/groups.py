"""Groups of alerts as they stand: what fires, what waits to be told, and until when."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tasks.notifications.models import GroupView

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.utils.keys import Keys

FIELDS: Final = ("labels", "count", "told", "waits", "severity")
PAGE: Final = 500


class Groups:
    """Reads groups; changes nothing."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def list(self) -> list[GroupView]:
        """Every group that has something to tell or to repeat, the next one due first."""
        due = dict(self._due())
        views = [self._view(lane, at) for lane, at in due.items()]
        return sorted(views, key=lambda view: view.due_at)

    def _due(self) -> Iterator[tuple[str, float]]:
        """Lanes of groups and when they go on: by themselves, or once the bundle on its way has been told."""
        yield from self._client.zrange(self._keys.groups_due, 0, -1, withscores=True)
        for lane, at in self._client.zscan_iter(self._keys.outbox_due, count=PAGE):
            if self._client.hexists(self._keys.alert(lane.partition("@")[0]), "waits"):
                yield lane, at

    def _view(self, lane: str, due: float) -> GroupView:
        group, _, destination = lane.partition("@")
        fields: Mapping[str, str | None] = dict(
            zip(FIELDS, self._client.hmget(self._keys.alert(group), FIELDS), strict=True)
        )
        return GroupView(
            group=group,
            destination=destination,
            labels=json.loads(fields["labels"] or "{}"),
            open=self._client.hlen(self._keys.members(group)),
            waiting=int(fields["count"] or 0),
            severity=fields["severity"] or "",
            told_at=_moment(float(fields["told"])) if fields["told"] else None,
            due_at=_moment(due),
            is_held_up=fields["waits"] is not None,
        )


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
