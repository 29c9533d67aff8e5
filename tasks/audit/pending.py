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
    """When a lane goes on (ms), the events that stand in it, and when its group's next bundle is due."""

    due: float | None
    waiting: frozenset[str]
    next_bundle: float | None


class PendingRows:
    """Looks up inbox rows, event rows and lanes, in pages."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def look_up(self, event_ids: Iterable[str]) -> dict[str, Row]:
        """The row of each event."""
        found: dict[str, Row] = {}
        buffers: dict[str, frozenset[str]] = {}
        for page in pages(event_ids, PAGE):
            found |= self._look_up(page, buffers)
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

    def _look_up(self, event_ids: Sequence[str], buffers: dict[str, frozenset[str]]) -> dict[str, Row]:
        pipe = self._client.pipeline(transaction=False)
        for event_id in event_ids:
            pipe.hmget(self._keys.event(event_id), "lane", "group", "bundle")
        places = dict(zip(event_ids, pipe.execute(), strict=True))
        found = self._in_inbox([event_id for event_id, (lane, group, _) in places.items() if not lane and not group])
        for event_id in found:
            del places[event_id]
        lanes = self._lane_names(places)
        states = self._lanes(filter(None, lanes.values()))
        for event_id, (_, group, bundle) in places.items():
            lane = lanes[event_id]
            waits_in_buffer = bool(group) and not bundle
            if waits_in_buffer and lane:
                is_there = self._waits_in(group, event_id, buffers)
                found[event_id] = _in_buffer(group, states[lane], is_there=is_there)
            else:
                found[event_id] = _in_lane(bundle or event_id, lane, states)
        return found

    def _in_inbox(self, event_ids: Sequence[str]) -> dict[str, Row]:
        """Those of the events that wait to be decided on."""
        if not event_ids:
            return {}
        envelopes = self._client.hmget(self._keys.inbox, event_ids)
        dues = self._client.zmscore(self._keys.inbox_due, event_ids)
        asked = zip(event_ids, envelopes, dues, strict=True)
        return {event_id: _in_inbox(due) for event_id, envelope, due in asked if envelope is not None}

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

    def _waits_in(self, group: str, event_id: str, buffers: dict[str, frozenset[str]]) -> bool:
        """Whether news waits in the buffer of its group. A buffer is read once; what has come into it since is asked for by name."""
        key = self._keys.buffer(group)
        if group not in buffers:
            buffers[group] = frozenset(self._client.lrange(key, 0, -1))
        return event_id in buffers[group] or self._client.lpos(key, event_id) is not None

    def _lanes(self, names: Iterable[str]) -> dict[str, Lane]:
        """How lanes stand, all at one moment: one may be waiting for its key's budget and go on in between."""
        asked = sorted(set(names))
        if not asked:
            return {}
        pipe = self._client.pipeline(transaction=True)
        pipe.zmscore(self._keys.outbox_due, asked)
        pipe.zmscore(self._keys.groups_due, asked)
        pipe.hmget(self._keys.parking, asked)
        pipe.zrange(self._keys.keys_due, 0, -1, withscores=True)
        for name in asked:
            pipe.lrange(self._keys.lane(name), 0, -1)
        dues, bundles, parked, turns, *waiting = pipe.execute()
        turn_of = dict(turns)
        rows = zip(asked, dues, bundles, parked, waiting, strict=True)
        return {
            name: Lane(due or turn_of.get((place or "").partition("|")[0]), frozenset(events), bundle)
            for name, due, bundle, place, events in rows
        }


def pages(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """The ids in lists of at most `size`."""
    rest = iter(ids)
    while page := list(islice(rest, size)):
        yield page


def _in_inbox(due: float | None) -> Row:
    if due is None:
        return Row(None, "waits in the inbox without a due time, so nobody will look at it", NO_DUE_TIME)
    return Row(int(due))


def _in_buffer(group: str, lane: Lane, *, is_there: bool) -> Row:
    """News that waits for its group's next bundle, which waits in turn for the one that is on its way."""
    if not is_there:
        return Row(None, f"has no end in the ledger and does not wait in its group {group} any more: it is lost", LOST)
    due = lane.due if lane.next_bundle is None else lane.next_bundle
    if due is None:
        wrong = f"waits in group {group}, which has no due time; the task notifications.sweep mends that"
        return Row(None, wrong, NO_DUE_TIME)
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
