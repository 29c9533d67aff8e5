"""The archives: files in the vault, each with its link in the chain; written, found again, checked, brought back."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from tasks.logs.models import ArchivesVerified, ArchiveView
from tasks.logs.vault import digest_of
from tasks.utils.clock import Clock
from tasks.utils.error_handler import PermanentError, TransientError
from tasks.utils.files import PRIVATE_FILE, PRIVATE_FOLDER
from tasks.utils.progress import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.logs.chain import ArchiveChain, Link
    from tasks.logs.items import Item, Kind, Source
    from tasks.logs.vault import Vault
    from tasks.utils.keys import Keys


class Archives:
    """The archives of one machine. Redis remembers the end of the list, so that nobody can cut it off unseen."""

    def __init__(self, client: Any, keys: Keys, vault: Vault, chain: ArchiveChain, host: str) -> None:
        self._client = client
        self._keys = keys
        self._clock = Clock(client, keys)
        self._vault = vault
        self._chain = chain
        self._host = host
        self._known: dict[tuple[str, str], list[Link]] | None = None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other process of this machine writes archives meanwhile; TransientError where one does."""
        self._vault.folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        descriptor = os.open(self._vault.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._known = {}
            for link in self._chain.links():
                self._known.setdefault((link.kind, link.name), []).append(link)
            yield
        except BlockingIOError:
            raise TransientError("another process of this machine is cleaning up; wait until it has ended") from None
        finally:
            os.close(descriptor)

    def put(self, source: Source, item: Item) -> Link | None:
        """Within `alone`: the archive of an item, read to its end and found to be what the item still is; None where that has changed.

        One that a killed run had written is taken, once it has been read again.
        """
        same = self._same(item)
        known = self._sound(source, item, same)
        if known is not None:
            return known
        last = self._chain.last()
        with source.read(item) as content:
            stored = self._vault.put(f"{item.kind}/{(last.number if last else 0) + 1:06d}-{item.name}", content)
        self._vault.verify(stored)
        with source.read(item) as content:
            if digest_of(content) != stored.sha256:
                return None
        link = self._chain.add(item, stored, self._clock.now_ms(), self._host)
        self._client.hset(self._keys.log_archives, self._host, link.hash)
        same.append(link)
        return link

    def _same(self, item: Item) -> list[Link]:
        """The archives of what was called the same."""
        if self._known is None:
            raise PermanentError("archives are written within `alone` only")
        return self._known.setdefault((item.kind, item.name), [])

    def _sound(self, source: Source, item: Item, same: list[Link]) -> Link | None:
        """The one of them that holds what the item is now, and reads back so."""
        if not same:
            return None
        with source.read(item) as content:
            digest = digest_of(content)
        return next((link for link in same if link.stored.sha256 == digest and not self._fault(link)), None)

    def views(self, kind: Kind | None = None) -> list[ArchiveView]:
        """Every archive, or those of one class, oldest first."""
        return [self._view(link) for link in self._chain.links() if kind in (None, link.kind)]

    def verify(self) -> ArchivesVerified:
        """Whether the list and every archive on it are as they were written."""
        faults = list(self._chain.faults(self._client.hget(self._keys.log_archives, self._host)))
        links = list(self._chain.links())
        for done, link in enumerate(links, start=1):
            report(done, len(links), "archives")
            fault = self._fault(link)
            faults += [f"archive {link.id} ({link.kind} {link.name}): {fault}"] if fault else []
        size = sum(link.stored.bytes for link in links)
        return ArchivesVerified(holds=not faults, archives=len(links), bytes=size, faults=faults)

    def bring_back(self, archive_id: str, source: Source) -> str:
        """Put what an archive holds back where it was; says where. PermanentError: it cannot be read, or something else is there."""
        link = next(link for link in self._chain.links() if link.id == archive_id)
        with TemporaryFile(dir=self._vault.folder) as plain:
            self._vault.take(link.stored, plain)
            plain.seek(0)
            return source.bring_back(link.name, plain)

    def _fault(self, link: Link) -> str:
        try:
            self._vault.verify(link.stored)
        except PermanentError as error:
            return str(error)
        return ""

    def _view(self, link: Link) -> ArchiveView:
        first, last = link.span
        return ArchiveView(
            id=link.id,
            kind=link.kind,
            name=link.name,
            file=link.stored.file,
            made_at=link.made_at,
            first=first,
            last=last,
            bytes=link.stored.bytes,
            stored_bytes=link.stored.stored_bytes,
            sha256=link.stored.sha256,
            is_encrypted=link.stored.file.endswith(".enc"),
            is_there=self._vault.holds(link.stored.file),
        )
