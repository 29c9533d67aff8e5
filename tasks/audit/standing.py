"""What has not come to an end yet, noted outside Redis each minute: after the loss of Redis nobody else could name it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.audit.unread import ask_for_unread, unread
from tasks.utils.files import PRIVATE_FILE, PRIVATE_FOLDER, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.keys import Keys

FILE: Final = "pending.json"
MOST_NAMED: Final = 1000
MOST_KEPT: Final = 20  # notes of lost data sets


@dataclass(frozen=True)
class Standing:
    """What had not ended in data set `epoch` at the moment `at` (ms): how many events, and the ids of the first thousand.

    Alerts in task messages that nobody has decided on are among them, first: the ledger, which names all others, does not know them.
    `rules`: the silences and maintenance windows there were, as they lie in Redis.
    """

    epoch: str
    at: int
    count: int
    events: list[str]
    rules: list[str]


class StandingFile:
    """The file `pending.json`; that of a data set that was lost is kept as `pending-<epoch>.json`."""

    def __init__(self, client: Any, keys: Keys, folder: Path) -> None:
        self._client = client
        self._keys = keys
        self._folder = folder

    def note(self, at: int) -> None:
        """Write down how things stand now. Nothing is written while nobody has said which data set this is."""
        keys = self._keys
        pipe = self._client.pipeline(transaction=True)
        pipe.get(keys.epoch)
        pipe.hlen(keys.inbox)
        pipe.zcard(keys.queued)
        pipe.zcard(keys.untold)
        pipe.hvals(keys.rules)
        pipe.zrange(keys.inbox_due, 0, MOST_NAMED - 1)
        pipe.zrange(keys.queued, 0, MOST_NAMED - 1)
        pipe.zrange(keys.untold, 0, MOST_NAMED - 1)
        ask_for_unread(pipe, keys)
        epoch, inbox, queued, untold, rules, *named = pipe.execute()
        if epoch:
            waiting, messages = unread(named[3:])
            events = [event for names in (messages, *named[:3]) for event in names][:MOST_NAMED]
            self._write(Standing(epoch, at, waiting + inbox + queued + untold, events, rules[:MOST_NAMED]))

    def _write(self, standing: Standing) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        path = self._folder / FILE
        before = _read(path)
        if before and before.epoch != standing.epoch:
            path.replace(self._folder / f"pending-{before.epoch}.json")
            for old in sorted(self._folder.glob("pending-*.json"))[:-MOST_KEPT]:
                old.unlink(missing_ok=True)
        draft = path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(standing), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(self._folder)


def read_standing(folder: Path, epoch: str) -> Standing | None:
    """The last note of that data set; None if there is none."""
    for path in (folder / f"pending-{epoch}.json", folder / FILE):
        found = _read(path)
        if found and found.epoch == epoch:
            return found
    return None


def _read(path: Path) -> Standing | None:
    try:
        return Standing(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
