"""A record beside the ledger that is kept like it: a stream in Redis, sealed into a chained and signed archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.audit.anchors import Anchors
from tasks.audit.archive import Archive
from tasks.audit.evidence import Evidence, steadily
from tasks.audit.prove import begin_of
from tasks.audit.records import Records
from tasks.audit.seal import Sealer
from tasks.utils.clock import Clock
from tasks.utils.ledger import Ledger
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.audit.models import SealReport, VerifyReport
    from tasks.audit.prove import Since
    from tasks.audit.service import AuditRules
    from tasks.utils.keys import Keys
    from tasks.utils.ledger import Entry


class SealedRecord:
    """One such record; `keys` are those of its stream (`Keys.of`), `rules` say where its archive is and who signs it."""

    def __init__(self, client: Any, keys: Keys, rules: AuditRules) -> None:
        self._client = client
        self._keys = keys
        self._rules = rules
        self._clock = Clock(client, keys)
        self._archive = Archive(rules.folder)
        self._anchors = Anchors(rules.folder, rules.signing_keys)
        self._sealer = Sealer(client, keys, self._archive, self._anchors, rules.lease)
        self._records = Records(client, keys, self._archive)
        self._ledger = Ledger(client, keys)
        self._scripts = Scripts(client, keys)

    def seal(self) -> SealReport:
        """Chain, archive and anchor what is new."""
        return self._sealer.seal(self._rules.seal_batch)

    def trim(self) -> int:
        """Take out of Redis what is sealed and older than the retention; how many entries."""
        page, total = self._rules.archive_page, 0
        for _ in range(self._rules.archive_pages):
            trimmed = int(self._scripts.run("archive_entries", milliseconds(self._rules.retention), page))
            total += trimmed
            if trimmed < page:
                break
        return total

    def verify(self, since: Since = None) -> VerifyReport:
        """Whether files, anchors and Redis agree on every entry, line by line; `since`: in the files from that day on."""
        begun = begin_of(since, self._clock.now_ms())
        parts = self._client, self._keys, self._archive, self._anchors
        return steadily(lambda notes: Evidence(*parts, lambda _: None, notes).verify(begun, live=True))

    def entries(self, first_day: str = "") -> Iterator[Entry]:
        """Every entry of the files from that day on, then what only Redis has."""
        return self._records.everything(first_day)

    def last_id(self) -> str:
        """The stream's id of the newest entry; `0-0` when there is none."""
        return self._ledger.last_id()

    def live_after(self, entry_id: str) -> Iterator[Entry]:
        """What is in the stream behind that id."""
        for page in self._ledger.read(entry_id):
            yield from page

    def files(self) -> list[Path]:
        """The files of the archive, oldest first; all but the last are done."""
        return self._archive.files()
