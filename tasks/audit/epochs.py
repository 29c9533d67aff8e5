"""Which data set Redis holds, remembered outside of it: whoever knew another one before knows that everything was lost."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog

from tasks.audit.anchors import FILE as ANCHORS
from tasks.audit.standing import read_standing
from tasks.utils.files import append, cut_half_line, lines_backwards
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tasks.utils.keys import Keys

log = structlog.get_logger("tocsin.epoch")

FILE: Final = "epochs.jsonl"
UNKNOWN: Final = ""  # the name of a data set that was there before names were kept


class Epoch(NamedTuple):
    """A data set: when it began (ms, as Redis says it), the one before it that was lost (None: it is the first), when that was noticed."""

    epoch: str
    old: str | None
    noticed: int


class EpochFile:
    """The file `epochs.jsonl` beside the anchors: each data set this machine has met, in order."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._anchors = folder / ANCHORS

    def last(self) -> str | None:
        """The data set known last; '' if there was one without a name, None if there was none."""
        for line in lines_backwards(self._path):
            found = _read(line)
            if found:
                return found.epoch
        return UNKNOWN if next(lines_backwards(self._anchors), None) else None

    def add(self, epoch: Epoch) -> None:
        """Remember one more; on return the disk has it."""
        cut_half_line(self._path)
        append(self._path, json.dumps(epoch._asdict()).encode() + b"\n")

    def all(self) -> Iterator[Epoch]:
        """Every data set, the newest first."""
        yield from filter(None, map(_read, lines_backwards(self._path)))


class EpochWatch:
    """Compares the data set there is with the one known before. One for each process; any number may watch.

    `restore` gets the silences and maintenance windows there were when they were noted last; `lost` is called beside it.
    """

    def __init__(
        self,
        client: Any,
        keys: Keys,
        folder: Path,
        restore: Callable[[Sequence[str]], None] = lambda _: None,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._scripts = Scripts(client, keys)
        self._folder = folder
        self._restore = restore
        self._lost = lost
        self._file = EpochFile(folder)
        self._known: str | None = None
        self._looking = threading.Lock()

    def ask(self) -> bool:
        """Look which data set there is, declaring it where nobody has; whether another one was lost, see `look`."""
        epoch, fresh = self._scripts.run("epoch")
        return self.look(str(epoch), is_fresh=bool(int(fresh)))

    def look(self, epoch: str, *, is_fresh: bool = False) -> bool:
        """Whether everything known before is gone, asked with the data set there is now.

        Then it says so: in the log, in the ledger and to the task that compares with PagerDuty, once for all who watch.
        `is_fresh`: nobody has declared it before.
        """
        if epoch == self._known:
            return False
        with self._looking:
            before = self._known if self._known is not None else self._file.last()
            is_lost = before is not None and before != epoch and (before != UNKNOWN or is_fresh)
            if is_lost:
                self._tell(before or UNKNOWN, epoch)
            elif is_fresh:
                log.info("epoch_declared", meaning="the server is new")
            self._remember(epoch, before, is_lost=is_lost)
            self._known = epoch
        return is_lost

    def _tell(self, before: str, epoch: str) -> None:
        standing = read_standing(self._folder, before)
        pending = "" if standing is None else str(standing.count)
        is_first = bool(self._scripts.run("declare_loss", before, pending))
        words = (
            "Redis was flushed, came back without its data, or is another one; see tocsin prove and docs/recovery.md"
        )
        self._lost()
        if standing is not None:
            self._restore(standing.rules)
        log.error("server_lost_everything", meaning=words, epoch=epoch, before=before, pending=pending, first=is_first)

    def _remember(self, epoch: str, before: str | None, *, is_lost: bool) -> None:
        if self._file.last() == epoch:
            return  # another process of this machine was quicker
        try:
            self._file.add(Epoch(epoch, before if is_lost else None, int(epoch) if epoch.isdecimal() else 0))
        except OSError as error:
            log.warning(
                "epoch_not_remembered", error=type(error).__name__, meaning="a loss may go unnoticed at a restart"
            )


def _read(line: bytes) -> Epoch | None:
    try:
        return Epoch(**json.loads(line))
    except (ValueError, TypeError):
        return None
