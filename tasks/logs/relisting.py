"""A list of archives that was lost is made anew from the archives themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tasks.logs.chain import number_of
from tasks.logs.items import Item
from tasks.logs.models import Relisted
from tasks.logs.shelf import archive_files, unlisted
from tasks.utils.error_handler import PermanentError
from tasks.utils.progress import report

if TYPE_CHECKING:
    from tasks.logs.archives import Archives
    from tasks.logs.chain import ArchiveChain
    from tasks.logs.shelf import ArchiveFile
    from tasks.logs.vault import Stored, Vault


class Relisting:
    """For a person who has looked: it signs what it finds, and takes it for all there is."""

    def __init__(self, archives: Archives, vault: Vault, chain: ArchiveChain) -> None:
        self._archives = archives
        self._vault = vault
        self._chain = chain

    def run(self, *, dry_run: bool = False) -> Relisted:
        """Put every archive of the folder on the list that reads to its end; `dry_run`: only say which.

        They get the ids they had. What is missing before or between them is told by number.
        """
        with self._archives.locked():
            links = list(self._chain.links())
            told, known = Relisted(lost_end=self._archives.lost_end()), {number_of(link.stored.file) for link in links}
            found = unlisted(self._vault.folder, links)
            for done, file in enumerate(found, start=1):
                report(done, len(found), "archives")
                known |= self._take(file, told, dry_run=dry_run)
            highest = max(known | {file.number for file in archive_files(self._vault.folder)}, default=0)
            told.missing = sorted(set(range(1, highest + 1)) - known)
            if not dry_run:
                self._archives.remember_end(self._chain.last())
        return told

    def _take(self, file: ArchiveFile, told: Relisted, *, dry_run: bool) -> set[int]:
        """Its number, if it is sound."""
        try:
            stored = self._vault.measure(file.file)
        except PermanentError as error:
            told.refused.append(str(error))
            return set()
        if not dry_run:
            self._archives.enlist(self._item(file, stored), stored)
        told.listed.append(f"{file.number}-{stored.sha256[:8]}")
        return {file.number}

    def _item(self, file: ArchiveFile, stored: Stored) -> Item:
        """Of what time it tells is not known, but for its end: it was written after that."""
        written = (self._vault.folder / file.file).stat().st_mtime
        ends = datetime.fromtimestamp(written, UTC)
        return Item(file.kind, file.name, stored.bytes, datetime.fromtimestamp(0, UTC), ends)
