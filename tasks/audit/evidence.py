"""Reads the whole ledger, archive first, then what only Redis has, and checks it on the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tasks.audit.anchors import FILE as ANCHORS
from tasks.audit.archive import day_of
from tasks.audit.chain import START, Head
from tasks.audit.check import REDIS, ChainCheck, Checkpoint, Faults, Place, moment
from tasks.audit.judge import as_datetime
from tasks.audit.models import VerifyReport
from tasks.audit.moved import FILE as MOVED
from tasks.audit.moved import MovedFiles
from tasks.audit.position import position, sealed_in_redis
from tasks.utils.error_handler import TransientError
from tasks.utils.ledger import Ledger, order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tasks.audit.anchors import Anchors
    from tasks.audit.archive import Archive
    from tasks.audit.position import Position, Sealed
    from tasks.utils.keys import Keys
    from tasks.utils.ledger import Entry


MOST_GONE: Final = 50  # files; a run of the clean-up may move many away, and each is noticed at another reading
Read = TypeVar("Read")


def steadily(read: Callable[[Sequence[str]], Read]) -> Read:
    """What `read` gives, which gets notes to begin with; it is called anew when a clean-up has moved a file away under its eyes."""
    gone: list[str] = []
    while True:
        try:
            return read([f"{name} was moved away while this was read, so it was read anew" for name in gone])
        except FileNotFoundError as error:
            gone.append(Path(error.filename).name)
            if len(gone) > MOST_GONE:
                raise TransientError(
                    f"files are moved away faster than they are read, {gone[-1]} was the last: wait until the clean-up has ended"
                ) from None


class Evidence:
    """One reading of the ledger; every entry goes to `tell`, every fault to `faults`.

    Redis's note and the anchors are read before the files, the files before the stream: a sealer at work only adds.
    """

    def __init__(
        self,
        client: Any,
        keys: Keys,
        archive: Archive,
        anchors: Anchors,
        tell: Callable[[Entry], None],
        notes: Sequence[str] = (),
    ) -> None:
        self.faults = Faults()
        self.notes = list(notes)
        self.archived = 0
        self.live = 0
        self.anchors_agreed = 0
        self.is_whole = True
        self._ledger = Ledger(client, keys)
        self._sealed = sealed_in_redis(client, keys)
        self._archive = archive
        self._anchors = anchors
        self._tell = tell
        self._after = ""

    def read_archive(self, first_day: str = "", begun: int | None = None) -> ChainCheck:
        """Read the files from that day on, for a proof of what began at `begun` (ms) or later."""
        files = self._archive.files()
        wanted = [path for path in files if path.stem >= first_day]
        before = files[: len(files) - len(wanted)]
        base = (self._archive.end_of(before) or START) if before else self._moved_before(files)
        self.is_whole = not before and base == START
        check = ChainCheck(base, self._checkpoints(base), self.faults, begun)
        for path in wanted:
            self._read_file(path, check, is_last=path == wanted[-1])
        check.end_of_archive()
        self.anchors_agreed = check.agreed
        self.is_whole = self.is_whole and check.is_whole
        if not self._anchors.are_signed:
            self.notes.append("anchors are not signed, so a rewritten archive may go unseen: set ENCRYPTION_KEY")
        return check

    def read_live(self, check: ChainCheck) -> None:
        """Read on in the stream, behind what the archive has."""
        tail = check.head if check.head.number else None
        at = position(tail, self._sealed, self._ledger)
        self._after = at.first_missing(tail)
        if self._sealed is None and tail and at.after != tail.id:
            self.notes.append("Redis does not know this archive: it is new, or it lost everything it held")
        for entries in self._ledger.read(self._after):
            self._take(entries, check, at, self._sealed)
        if at.lost:
            self._jump(check, at.head, None)
        check.end_of_ledger()
        self.is_whole = self.is_whole and check.is_whole

    def read_on(self) -> set[str]:
        """Read what has come into the stream meanwhile; returns the events concerned."""
        concerned: set[str] = set()
        for entries in self._ledger.read(self._after):
            for entry in entries:
                self._tell(entry)
                concerned.add(entry.event)
            self._after = entries[-1].id
            self.live += len(entries)
        return concerned

    def verify(self, begun: int | None = None, *, live: bool = False) -> VerifyReport:
        """What the archive shows: all of it, or the files from the day on that `begun` (ms) is in; `live`: and what Redis has."""
        check = self.read_archive("" if begun is None else day_of(begun), begun)
        if live:
            self.read_live(check)
        return VerifyReport(
            holds=not self.faults.count,
            entries=self.archived,
            live_entries=self.live,
            anchors=self.anchors_agreed,
            broken=self.faults.told,
            broken_count=self.faults.count,
            notes=self.notes,
            since=None if begun is None else as_datetime(begun),
        )

    def _moved_before(self, files: list[Path]) -> Head:
        """Where the files begin: at the very beginning, or behind those that a clean-up has moved away."""
        moved = MovedFiles(self._archive.folder, self._anchors).before(files)
        if moved is None:
            return START
        if moved.wrong:
            self.faults.add(f"the note in {MOVED} that {moved.file} was moved away {moved.wrong}")
            return START
        self.notes.append(
            f"entries 1 to {moved.head.number:,}, up to the end of {moved.file}, were cleaned up and are not looked at: "
            f"they are archived, the last of them as {moved.archive}. `tocsin logs list` shows all; to look at them, too: "
            "`tocsin logs restore` with the oldest one wanted"
        )
        return moved.head

    def _checkpoints(self, base: Head) -> list[Checkpoint]:
        found = []
        for anchor in self._anchors.read(beyond=base.number):
            if anchor.wrong:
                place = Place(ANCHORS, anchor.line)
                self.faults.add(f"line {anchor.line} of {ANCHORS} {anchor.wrong}", place=place)
            else:
                found.append(Checkpoint(anchor.head, f"the anchor of {moment(anchor.at)}"))
        if self._sealed is not None and self._sealed.head.number > base.number:
            found.append(Checkpoint(self._sealed.head, REDIS))
        return found

    def _read_file(self, path: Path, check: ChainCheck, *, is_last: bool) -> None:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                if is_last and not raw.endswith(b"\n"):
                    return  # being written just now, or cut short by a crash: it was never noted as sealed
                self.archived += 1
                entry = check.line(path.name, number, raw.removesuffix(b"\n"))
                if entry is not None:
                    self._tell(entry)

    def _take(self, entries: Iterable[Entry], check: ChainCheck, at: Position, sealed: Sealed | None) -> None:
        for entry in entries:
            self._tell(entry)
            self.live += 1
            self._after = entry.id
            if at.lost and sealed is not None and order(entry.id) <= order(sealed.head.id):
                continue  # sealed by somebody else: its place in the chain is not known here
            if at.lost:
                self._jump(check, at.head, entry.at)
            check.live(entry)

    @staticmethod
    def _jump(check: ChainCheck, head: Head, until: int | None) -> None:
        if check.head.number < head.number:
            check.jump(head, until)
