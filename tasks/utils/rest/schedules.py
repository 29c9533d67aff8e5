"""Schedules, of which PagerDuty has two kinds: those of layers, and version 3, of rotations."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.rest.caller import ITEMS
from tasks.utils.rest.collection import OFFSET, Collection
from tasks.utils.rest.errors import InvalidRequestError, NotFoundError
from tasks.utils.rest.pages import items_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from tasks.utils.rest.pages import Item

    Items = list[Item]

V3: Final = "schedule_v3"
SHARED_FILTERS: Final = ("query", "team_ids")


@dataclass(frozen=True)
class Schedules:
    """Schedules of both kinds; an item's `type` says which, and an id keeps its meaning when PagerDuty upgrades it."""

    v2: Collection
    v3: Collection

    def list(self, **filters: Any) -> Iterator[Item]:
        """All of both kinds, each once. Of the filters, version 3 knows `query` and `team_ids`."""
        seen: set[str] = set()
        shared = {name: value for name, value in filters.items() if name in SHARED_FILTERS}
        for source in (self._new_kind(shared), self.v2.list(**filters)):
            for item in source:
                if item["id"] not in seen:
                    seen.add(item["id"])
                    yield item

    def _new_kind(self, filters: Mapping[str, Any]) -> Iterator[Item]:
        """Those of version 3; none in an account that does not have that yet."""
        with suppress(NotFoundError):
            yield from self.v3.list(**filters)

    def get(self, item_id: str, **filters: Any) -> Item:
        """The one of that id, of whichever kind: version 3 is asked first, as PagerDuty advises."""
        try:
            return self.v3.get(item_id, **filters)
        except (InvalidRequestError, NotFoundError):
            return self.v2.get(item_id, **filters)

    def create(self, item: Mapping[str, Any], *, sender: str | None = None) -> Item:
        """A new one; of version 3 where its `type` says `schedule_v3`."""
        return self._kind(item).create(_body(item), sender=sender)

    def update(self, item_id: str, changes: Mapping[str, Any], *, sender: str | None = None) -> Item:
        """The one of that id as it is after the changes, which name its `type` if it is of version 3."""
        return self._kind(changes).update(item_id, _body(changes), sender=sender)

    def delete(self, item_id: str, *, sender: str | None = None) -> None:
        """Remove it. PagerDuty refuses while an escalation policy uses it."""
        self._kind(self.get(item_id)).delete(item_id, sender=sender)

    def rotations(self, item_id: str) -> Collection:
        """Who takes turns, in a schedule of version 3."""
        return self.v3.below(item_id, "rotations", "rotation", "rotations", OFFSET)

    def users(self, item_id: str, since: datetime, until: datetime) -> Items:
        """Everybody on call in that time, in a schedule of layers."""
        return list(self.v2.below(item_id, "users", "user", "users").list(since=since, until=until))

    def overrides(self, item_id: str, since: datetime, until: datetime) -> Items:
        """Who stands in for whom in that time, in a schedule of layers."""
        return list(self._overrides(item_id).list(since=since, until=until))

    def add_overrides(self, item_id: str, overrides: Sequence[Mapping[str, Any]]) -> Items:
        """Let others stand in, in a schedule of layers: each with `start`, `end` and `user`.

        What became of each, in order: its `status`, 201 with the `override`, or 400 with the `errors`.
        """
        path = self._overrides(item_id).path
        return items_of(self.v2.caller.call("POST", path, body={"overrides": list(overrides)}), ITEMS)

    def delete_override(self, item_id: str, override_id: str) -> None:
        """End one."""
        self._overrides(item_id).delete(override_id)

    def _overrides(self, item_id: str) -> Collection:
        return self.v2.below(item_id, "overrides", "override", "overrides")

    def _kind(self, item: Mapping[str, Any]) -> Collection:
        return self.v3 if item.get("type") == V3 else self.v2


def _body(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """As it is sent: version 3 knows its kind by its path and takes no `type`."""
    return {name: value for name, value in item.items() if (name, value) != ("type", V3)}
