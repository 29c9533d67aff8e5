"""Which files of a record may be moved away: those that tell of nothing that is still open. And their moving, there and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.audit.chain import take_apart
from tasks.audit.moved import MovedFiles
from tasks.audit.records import service_in, uid_in
from tasks.audit.stories import CLOSING
from tasks.utils.files import lines_backwards, sync_folder
from tasks.utils.ledger import is_bundle, is_epoch, is_escalation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.audit.anchors import Anchors
    from tasks.audit.archive import Archive
    from tasks.audit.chain import Line
    from tasks.utils.clock import Clock
    from tasks.utils.keys import Keys
    from tasks.utils.ledger import Entry

BEGINNING: Final = ("received", "accepted", "replayed", "released", "missed")
OPEN: Final = ("open", "acknowledged")
PAGE: Final = 500


class OutgoingFile(NamedTuple):
    """One file past its time: from when to when it tells, of which services (None: of any), and why it must stay, if so."""

    path: Path
    first: datetime
    last: datetime
    services: frozenset[str] | None
    open: str


class Outgoing:
    """The files of one record. The last one is never among them: the chain goes on from it."""

    def __init__(self, archive: Archive, anchors: Anchors, clock: Clock, still_open: StillOpen | None = None) -> None:
        self._archive = archive
        self._moved = MovedFiles(archive.folder, anchors)
        self._clock = clock
        self._still_open = still_open

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._archive.folder

    def files(self, before: datetime) -> Iterator[OutgoingFile]:
        """Those whose every entry is older than that moment, oldest first."""
        files = self._archive.files()
        for place, path in enumerate(files[:-1]):
            lines = list(_ends(path))
            if not lines or max(line.entry.at for line in lines) >= before.timestamp() * 1000:
                return
            first, last = (datetime.fromtimestamp(line.entry.at / 1000, UTC) for line in (lines[0], lines[-1]))
            services, why = self._still_open.look(path, files[place + 1 :]) if self._still_open else (None, "")
            yield OutgoingFile(path, first, last, services, why)

    def move_out(self, path: Path, archive: str) -> bool:
        """Note that a file lies in that archive, then delete it; it must be the first one. False where it is not there."""
        head = self._archive.end_of([path])
        first = next(iter(_ends(path)), None) if path.exists() else None
        if head is None or first is None or path != self._archive.files()[0]:
            return False
        self._moved.add(path.name, first.number, head, archive, self._clock.now_ms())
        path.unlink()
        sync_folder(path.parent)
        return True


class StillOpen:
    """What of the ledger has not come to its end, asked of Redis once for all files of a run."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._pending: frozenset[str] | None = None
        self._open: frozenset[str] = frozenset()

    def look(self, path: Path, later: Sequence[Path]) -> tuple[frozenset[str], str]:
        """Of which services a file tells, and why it must stay; '' where it need not."""
        try:
            return self._look(path, later, self._ask())
        except _DamagedError as error:
            return frozenset(), str(error)

    def _look(self, path: Path, later: Sequence[Path], pending: frozenset[str]) -> tuple[frozenset[str], str]:
        services: set[str] = set()
        unended: set[str] = set()
        for line in _lines(path):
            entry = line.entry
            if entry.event in pending or (entry.step == "merged" and entry.detail in pending):
                return frozenset(), f"event {entry.event} is not at its end, or is a dead letter"
            if uid_in(entry) in self._open:
                return frozenset(), f"the alert of event {entry.event} is open"
            if entry.step == "accepted":
                services.add(service_in(entry))
            _follow(entry, unended)
        for event in self._without_end(unended, later):
            return frozenset(), f"event {event} has no end in the ledger: see `tocsin prove`"
        return frozenset(services), ""

    def _ask(self) -> frozenset[str]:
        if self._pending is None:
            keys = self._keys
            pipe = self._client.pipeline(transaction=True)
            for rows in (keys.inbox_due, keys.queued, keys.untold, keys.dead, keys.escalations_due):
                pipe.zrange(rows, 0, -1)
            *waiting, escalating = pipe.execute()
            self._pending = frozenset(event for events in waiting for event in events)
            self._open = frozenset((*escalating, *self._open_alerts()))
        return self._pending

    def _open_alerts(self) -> Iterator[str]:
        uids = self._client.zrange(self._keys.alerts, 0, -1)
        for start in range(0, len(uids), PAGE):
            page = uids[start : start + PAGE]
            pipe = self._client.pipeline(transaction=False)
            for uid in page:
                pipe.hget(self._keys.alert(uid), "status")
            yield from (uid for uid, status in zip(page, pipe.execute(), strict=True) if status in OPEN)

    @staticmethod
    def _without_end(unended: set[str], later: Sequence[Path]) -> set[str]:
        """Those of the events that end in no later file either: most that are left open at midnight end soon after."""
        for path in later:
            if not unended:
                break
            asked = frozenset(unended)
            for line in _lines(path):
                if line.entry.event in asked:
                    _follow(line.entry, unended)
        return unended


def _follow(entry: Entry, unended: set[str]) -> None:
    """Keep the set of events that have not ended up to date; memory holds no more than those."""
    if is_bundle(entry.event) or is_epoch(entry.event) or is_escalation(entry.event):
        return
    if entry.step in CLOSING:
        unended.discard(entry.event)
    elif entry.step in BEGINNING:
        unended.add(entry.event)


class _DamagedError(Exception):
    pass


def _lines(path: Path) -> Iterator[Line]:
    """Every line of a file. What is damaged is evidence and stays."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                yield take_apart(raw.removesuffix(b"\n"))
            except ValueError as error:
                raise _DamagedError(
                    f"line {number} of {path.name} is damaged ({error}): see `tocsin audit verify`"
                ) from None


def _ends(path: Path) -> Iterator[Line]:
    """The first and the last line of a file; nothing where one of them cannot be read."""
    with path.open("rb") as file:
        first = file.readline().removesuffix(b"\n")
    last = next(lines_backwards(path), first)
    try:
        yield from (take_apart(first), take_apart(last))
    except ValueError:
        return
