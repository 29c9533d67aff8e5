"""What Redis still holds for events whose story is open: when each goes on, if it does."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tasks.utils.keys import Keys

PAGE: Final = 500
LOST: Final = "lost"
NO_DUE_TIME: Final = "no_due_time"


class Row(NamedTuple):
    """Where an open event stands. `due` in ms; None when nothing will ever take it up again, and `wrong` says why."""

    due: int | None
    wrong: str = ""
    fault: str = ""  # the same in one word


class Lane(NamedTuple):
    """When a lane goes on (ms), and the events that stand in it."""

    due: float | None
    waiting: frozenset[str]


class PendingRows:
    """Looks up inbox rows, event rows and lanes, in pages."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def look_up(self, event_ids: Iterable[str]) -> dict[str, Row]:
        """The row of each event."""
        found: dict[str, Row] = {}
        for page in pages(event_ids, PAGE):
            found |= self._look_up(page)
        return found

    def missing_dead_letters(self, event_ids: Iterable[str]) -> set[str]:
        """Those of the events that are no dead letters in Redis."""
        missing: set[str] = set()
        for page in pages(event_ids, PAGE):
            pipe = self._client.pipeline(transaction=False)
            for event_id in page:
                pipe.zscore(self._keys.dead, event_id)
            missing |= {event_id for event_id, died in zip(page, pipe.execute(), strict=True) if died is None}
        return missing

    def _look_up(self, event_ids: Sequence[str]) -> dict[str, Row]:
        pipe = self._client.pipeline(transaction=False)
        for event_id in event_ids:
            pipe.hexists(self._keys.inbox, event_id)
            pipe.zscore(self._keys.inbox_due, event_id)
            pipe.hmget(self._keys.event(event_id), "lane", "group", "bundle")
        replies = pipe.execute()
        asked = dict(zip(event_ids, zip(replies[::3], replies[1::3], replies[2::3], strict=True), strict=True))
        found = {event_id: _in_inbox(due) for event_id, (received, due, _) in asked.items() if received}
        places = {event_id: place for event_id, (received, _, place) in asked.items() if not received}
        lanes = self._lane_names(places)
        states = self._lanes(filter(None, lanes.values()))
        for event_id, (_, group, bundle) in places.items():
            lane = lanes[event_id]
            waits_in_buffer = bool(group) and not bundle
            if waits_in_buffer and lane:
                found[event_id] = self._in_buffer(event_id, group, lane, states)
            else:
                found[event_id] = _in_lane(bundle or event_id, lane, states)
        return found

    def _lane_names(self, places: Mapping[str, Sequence[str | None]]) -> dict[str, str | None]:
        """The lane of each event: its own, or that of the group that tells of it."""
        groups = {group for lane, group, _ in places.values() if group and not lane}
        pipe = self._client.pipeline(transaction=False)
        for group in groups:
            pipe.hget(self._keys.alert(group), "service")
        services = dict(zip(groups, pipe.execute() if groups else [], strict=True))
        return {
            event_id: lane or (f"{group}@{services[group]}" if group and services[group] else None)
            for event_id, (lane, group, _) in places.items()
        }

    def _in_buffer(self, event_id: str, group: str, lane: str, lanes: Mapping[str, Lane]) -> Row:
        """News that waits for its group's next bundle, which waits in turn for the one that is on its way."""
        if self._client.lpos(self._keys.buffer(group), event_id) is None:
            return Row(
                None, f"has no end in the ledger and does not wait in its group {group} any more: it is lost", LOST
            )
        due = self._client.zscore(self._keys.groups_due, lane)
        if due is None:
            due = lanes[lane].due
        if due is None:
            return Row(
                None,
                f"waits in group {group}, which has no due time; the task notifications.sweep mends that",
                NO_DUE_TIME,
            )
        return Row(int(due))

    def _lanes(self, names: Iterable[str]) -> dict[str, Lane]:
        asked = list(names)
        pipe = self._client.pipeline(transaction=False)
        for name in asked:
            pipe.zscore(self._keys.outbox_due, name)
            pipe.lrange(self._keys.lane(name), 0, -1)
        replies = pipe.execute() if asked else []
        lanes = zip(asked, replies[::2], replies[1::2], strict=True)
        return {name: Lane(due or self._turn(name), frozenset(waiting)) for name, due, waiting in lanes}

    def _turn(self, lane: str) -> float | None:
        """When a lane that waits for the budget of its key is looked at next."""
        place = self._client.hget(self._keys.parking, lane)
        due: float | None = self._client.zscore(self._keys.keys_due, place.partition("|")[0]) if place else None
        return due


def pages(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """The ids in lists of at most `size`."""
    rest = iter(ids)
    while page := list(islice(rest, size)):
        yield page


def _in_inbox(due: float | None) -> Row:
    if due is None:
        return Row(None, "waits in the inbox without a due time, so nobody will look at it", NO_DUE_TIME)
    return Row(int(due))


def _in_lane(event_id: str, name: str | None, lanes: dict[str, Lane]) -> Row:
    if not name:
        return Row(None, "has no end in the ledger, and Redis does not know it any more: it is lost", LOST)
    lane = lanes[name]
    if event_id not in lane.waiting:
        return Row(None, f"has no end in the ledger and does not stand in its lane {name} any more: it is lost", LOST)
    if lane.due is None:
        return Row(
            None, f"waits in lane {name}, which has no due time; the task notifications.sweep mends that", NO_DUE_TIME
        )
    return Row(int(lane.due))
