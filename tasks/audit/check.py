"""Checks archived lines against the chain, the anchors and Redis, and says which line is at fault."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from tasks.audit.chain import Head, Line, extend, link, take_apart
from tasks.audit.models import Broken

if TYPE_CHECKING:
    from tasks.utils.ledger import Entry

MOST_TOLD: Final = 1000
EVIDENCE: Final = "evidence"


class Place(NamedTuple):
    """A line of a file of the archive; nowhere where the fault is in no file."""

    file: str
    line: int | None


NOWHERE: Final = Place("", None)


class Faults:
    """What is broken: the first thousand in full, the rest counted."""

    def __init__(self) -> None:
        self.told: list[Broken] = []
        self.counts: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """All of them."""
        return self.counts.total()

    def add(self, wrong: str, event_id: str = "", fault: str = EVIDENCE, place: Place = NOWHERE) -> None:
        """One more; `fault` says in one word what is broken."""
        self.counts[fault] += 1
        if len(self.told) < MOST_TOLD:
            self.told.append(Broken(event_id=event_id, fault=fault, wrong=wrong, file=place.file, line=place.line))


class Checkpoint(NamedTuple):
    """Somebody's word for the hash of one entry."""

    head: Head
    witness: str


class ChainCheck:
    """Follows the chain from `head` on. After a fault it finds its feet again, so that one change is told once.

    What is missing from before `begun` (ms) is no fault: nobody has asked about it.
    """

    def __init__(self, head: Head, checkpoints: list[Checkpoint], faults: Faults, begun: int | None = None) -> None:
        self.head = head
        self.agreed = 0
        self.is_whole = True
        self._faults = faults
        self._begun = begun
        self._previous: tuple[str, ...] = (head.hash,)  # the hashes the next line may build on; empty = not known
        self._unreadable = 0
        self._place = NOWHERE
        self._checkpoints: dict[int, list[Checkpoint]] = {}
        for checkpoint in checkpoints:
            self._checkpoints.setdefault(checkpoint.head.number, []).append(checkpoint)

    def line(self, file: str, number: int, raw: bytes) -> Entry | None:
        """What line `number` of `file` says; None when it is not readable."""
        self._place = Place(file, number)
        try:
            line = take_apart(raw)
        except ValueError as error:
            self._unreadable += 1
            wrong = (
                f"line {number} of {file} is not a readable ledger entry ({error}): it was changed after it was sealed"
            )
            self._faults.add(wrong, place=self._place)
            return None
        if line.number <= self.head.number:
            where = f"line {number} of {file}"
            wrong = f"{where} holds entry {line.number} out of its order: lines were moved or copied"
            self._faults.add(wrong, place=self._place)
            return line.entry
        if not self._follow(line):
            wrong = f"line {number} of {file} (entry {line.number}) was changed after it was sealed"
            self._faults.add(wrong, line.entry.event, place=self._place)
        return line.entry

    def live(self, entry: Entry) -> None:
        """An entry that is not archived yet; only checked as far as somebody has given his word for its hash."""
        if self._checkpoints:
            self._advance(extend(self.head, entry)[0])
        else:
            self.head = Head(self.head.number + 1, entry.id, "")

    def jump(self, head: Head, until: int | None) -> None:
        """Go on behind `head`; what lies between is missing, up to the time `until` (ms) if that is known."""
        self._miss(head.number, until)
        self._checkpoints.clear()  # all that is left is Redis's own word for `head`
        self.head = head
        self._previous = (head.hash,)

    def end_of_archive(self) -> None:
        """Say so if anchors know more entries than the archive holds."""
        beyond = [c for found in self._checkpoints.values() for c in found if c.head.number > self.head.number]
        anchors = [checkpoint for checkpoint in beyond if checkpoint.witness != REDIS]
        if anchors:
            most = max(anchors, key=lambda checkpoint: checkpoint.head.number)
            missing = _entries(self.head.number + 1, most.head.number)
            wrong = f"the archive ends too early: {missing} cut off its end, as {most.witness} shows"
            self._faults.add(wrong, place=self._place)
        self._checkpoints = {c.head.number: [c] for c in beyond if c.witness == REDIS}

    def end_of_ledger(self) -> None:
        """Say so if Redis has sealed more entries than there are."""
        for number in self._checkpoints:
            missing = _entries(self.head.number + 1, number)
            self._faults.add(f"{missing} neither in the archive nor in Redis, though sealed")

    def _follow(self, line: Line) -> bool:
        """Go on to a line further on; whether its hash fits."""
        skipped = line.number - self.head.number - 1
        if skipped:
            if skipped > self._unreadable:
                self._miss(line.number - 1, line.entry.at)
            self._previous = tuple(c.head.hash for c in self._checkpoints.get(line.number - 1, ()))
        self._unreadable = 0
        computed = [link(previous, line.body) for previous in self._previous]
        fits = not computed or line.hash in computed
        self._advance(Head(line.number, line.entry.id, line.hash))
        self._previous = (line.hash,) if fits else (line.hash, *computed)
        return fits

    def _advance(self, head: Head) -> None:
        self.head = head
        for checkpoint in self._checkpoints.pop(head.number, ()):
            if checkpoint.head.hash == head.hash:
                self.agreed += checkpoint.witness != REDIS
            elif checkpoint.witness != REDIS or checkpoint.head.id == head.id:
                wrong = (
                    f"entry {head.number} has another hash than {checkpoint.witness} says: "
                    "it, or something before it, was rewritten after it was sealed"
                )
                self._faults.add(wrong, place=self._place)

    def _miss(self, last: int, until: int | None) -> None:
        self.is_whole = False
        if self._begun is not None and until is not None and until <= self._begun:
            return
        missing = _entries(self.head.number + 1, last)
        self._faults.add(f"{missing} missing from the archive: lines or files were removed", place=self._place)


REDIS: Final = "Redis"


def moment(at: int) -> str:
    """A time (ms) as people read it."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _entries(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"
