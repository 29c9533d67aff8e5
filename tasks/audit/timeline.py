"""The story of one alert: everything that happened to any of its events, on one time line."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tasks.audit.judge import as_datetime
from tasks.audit.models import AlertTrail, TrailEvent, TrailStep
from tasks.audit.records import uid_in
from tasks.audit.trail import in_words
from tasks.utils.identifiers import alert_uid
from tasks.utils.ledger import is_bundle, is_escalation, order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tasks.audit.records import Records
    from tasks.utils.ledger import Entry


class Timelines:
    """Finds alerts by their dedup keys, for as long as the archive goes back."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def find(self, dedup_key: str, services: Iterable[str]) -> list[AlertTrail]:
        """The story of each alert of that key, of any of these services, that the ledger knows."""
        owners = {alert_uid(service, dedup_key): service for service in services}
        accepted: dict[str, dict[str, str]] = {}  # uid -> event -> action
        for entry in self._records.accepted(owners):
            accepted.setdefault(uid_in(entry), {})[entry.event] = (
                "escalation" if is_escalation(entry.event) else entry.reason
            )
        entries = self._entries({event for events in accepted.values() for event in events})
        return [_trail(owners[uid], dedup_key, uid, events, entries) for uid, events in accepted.items()]

    def _entries(self, event_ids: set[str]) -> list[Entry]:
        """All steps of these events and of the bundles that told of them."""
        if not event_ids:
            return []
        found = list(self._records.of_events(event_ids))
        bundles = {bundle for entry in found for bundle in _told_in(entry)}
        if bundles:
            found += self._records.of_events(bundles)
        return sorted(found, key=lambda entry: (entry.at, order(entry.id)))


def _trail(service: str, dedup_key: str, uid: str, actions: dict[str, str], entries: Sequence[Entry]) -> AlertTrail:
    bundles = {bundle for entry in entries if entry.event in actions for bundle in _told_in(entry)}
    mine = [entry for entry in entries if entry.event in actions or entry.event in bundles]
    names = dict.fromkeys(entry.event for entry in mine)
    events = [
        TrailEvent(event_id=name, action="bundle" if is_bundle(name) else actions[name], number=number)
        for number, name in enumerate(names, 1)
    ]
    gaps = [0, *(later.at - earlier.at for earlier, later in pairwise(mine))]
    steps = [
        TrailStep(at=as_datetime(entry.at), step=entry.step, text=in_words(entry), event_id=entry.event, gap_ms=gap)
        for entry, gap in zip(mine, gaps, strict=True)
    ]
    return AlertTrail(service=service, dedup_key=dedup_key, uid=uid, events=events, steps=steps)


def _told_in(entry: Entry) -> Iterator[str]:
    """The bundle an entry names as the one that tells of its event."""
    yield from filter(is_bundle, (entry.reason, entry.detail))
