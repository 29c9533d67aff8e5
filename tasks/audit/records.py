"""Single entries out of the whole ledger: the archive first, then what only Redis has."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tasks.audit.chain import take_apart
from tasks.audit.position import position, sealed_in_redis
from tasks.utils.ledger import Ledger, is_escalation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from tasks.audit.archive import Archive
    from tasks.utils.keys import Keys
    from tasks.utils.ledger import Entry

_EVENT: Final = b',"e":"'
_ACCEPTED: Final = b'","s":"accepted",'
_STARTED: Final = b'","s":"started",'


class Records:
    """Picks entries; an archived line is only taken apart when its bytes look like one that is wanted."""

    def __init__(self, client: Any, keys: Keys, archive: Archive) -> None:
        self._client = client
        self._keys = keys
        self._archive = archive
        self._ledger = Ledger(client, keys)

    def of_events(self, event_ids: Collection[str]) -> Iterator[Entry]:
        """Every entry of these events."""
        encoded = {json.dumps(event_id)[1:-1].encode() for event_id in event_ids}

        def looks_good(line: bytes) -> bool:
            start = line.find(_EVENT) + len(_EVENT)
            return line[start : line.find(b'"', start)] in encoded

        return self._select(looks_good, lambda entry: entry.event in event_ids)

    def accepted(self, uids: Collection[str]) -> Iterator[Entry]:
        """The entries by which events of these alerts were accepted, or refused, and their escalations started."""
        return self._select(lambda line: _ACCEPTED in line or _STARTED in line, lambda entry: uid_in(entry) in uids)

    def everything(self, first_day: str = "") -> Iterator[Entry]:
        """Every entry in the files from that day on, and what only Redis has; as it was written, oldest first."""
        tail, sealed = self._archive.tail(), sealed_in_redis(self._client, self._keys)
        is_new, told = tail is None, set()  # what is sealed while this reads is both in the files and in the stream
        for path in self._archive.files():
            for entry in _read(path, bool) if path.stem >= first_day else ():
                if is_new:
                    told.add(entry.id)
                is_new = is_new or (tail is not None and entry.id == tail.id)
                yield entry
        at = position(tail, sealed, self._ledger)
        for entries in self._ledger.read(at.first_missing(tail)):
            yield from (entry for entry in entries if entry.id not in told)

    def _select(self, looks_good: Callable[[bytes], bool], is_wanted: Callable[[Entry], bool]) -> Iterator[Entry]:
        tail, sealed = self._archive.tail(), sealed_in_redis(self._client, self._keys)
        told: set[str] = set()
        for path in self._archive.files():
            for entry in filter(is_wanted, _read(path, looks_good)):
                told.add(entry.id)
                yield entry
        at = position(tail, sealed, self._ledger)
        for entries in self._ledger.read(at.first_missing(tail)):
            yield from (entry for entry in entries if is_wanted(entry) and entry.id not in told)


def severity_in(entry: Entry) -> str:
    """The severity an entry that accepts a trigger names; '' where it is older than that, or accepts something else."""
    return entry.detail.rpartition(" ")[2] if entry.detail.count(" ") == 2 else ""


def uid_in(entry: Entry) -> str:
    """The alert of an entry that accepts one of its events, or starts its escalation; '' if it is none, or does not say."""
    if entry.step == "started" and is_escalation(entry.event):
        return entry.event.split("-")[1]
    return entry.detail.partition(" ")[2].partition(" ")[0] if entry.step == "accepted" else ""


def service_in(entry: Entry) -> str:
    """The service an entry that accepts an event names."""
    return entry.detail.partition(" ")[0]


def _read(path: Path, looks_good: Callable[[bytes], bool]) -> Iterator[Entry]:
    """The entries of a file; none where a clean-up has just moved it away, as of all that it has moved."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in filter(looks_good, file):
            try:
                yield take_apart(line.removesuffix(b"\n")).entry
            except ValueError:
                continue  # `tocsin audit verify` names it
