"""The archives: files in the vault, each with its link in the chain; written, found again, checked, brought back."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from datetime import timedelta
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Final

from tasks.logs.chain import FILE, End
from tasks.logs.files import is_held
from tasks.logs.models import ArchivesVerified, ArchiveView
from tasks.logs.shelf import Shelf, label_of, unlisted
from tasks.logs.vault import digest_of
from tasks.utils.clock import Clock
from tasks.utils.error_handler import PermanentError, TransientError
from tasks.utils.files import PRIVATE_FILE, PRIVATE_FOLDER
from tasks.utils.progress import report
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tasks.logs.chain import ArchiveChain, Link
    from tasks.logs.items import Item, Kind, Source
    from tasks.logs.vault import Stored, Vault
    from tasks.utils.keys import Keys

MACHINES_KEPT: Final = timedelta(
    days=400
)  # of one that has archived nothing for so long Redis forgets the end of its list
LIST: Final = "the list"  # in the place of an archive's id


class Archives:
    """The archives of one machine. Redis remembers the end of the list, so that nobody can cut it off unseen."""

    def __init__(self, client: Any, keys: Keys, vault: Vault, chain: ArchiveChain, host: str) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._clock = Clock(client, keys)
        self._vault = vault
        self._chain = chain
        self._host = host
        self._shelf: Shelf | None = None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other process of this machine writes archives meanwhile; TransientError where one does.

        PermanentError where the end of the list is lost: nothing is deleted before somebody has looked.
        """
        with self.locked():
            if self.lost_end():
                raise PermanentError(
                    f"the end of {FILE} is missing: Redis knows of a later archive, so nothing is deleted. Put the file"
                    " back as it was, or make the list anew from the archives: `tocsin logs relist`"
                )
            self._shelf = Shelf(self._vault.folder, list(self._chain.links()))
            yield

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The same, whatever has become of the list."""
        self._vault.folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        descriptor = os.open(self._vault.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise TransientError("another process of this machine is cleaning up; wait until it has ended") from None
        finally:
            os.close(descriptor)

    def put(self, source: Source, item: Item) -> Link | None:
        """Within `alone`: the archive of an item, read to its end and found to be what the item still is; None where that has changed.

        One that a killed run had written is taken, once it has been read again.
        """
        if self._shelf is None:
            raise PermanentError("archives are written within `alone` only")
        known = self._sound(source, item, self._shelf)
        if known is not None:
            return known
        made = self._left_behind(source, item, self._shelf) or self._written(source, item, self._shelf.new_number())
        if made is None:
            return None
        link = self.enlist(item, made)
        self._shelf.add(link)
        return link

    def enlist(self, item: Item, stored: Stored) -> Link:
        """Put an archive on the list."""
        link = self._chain.add(item, stored, self._clock.now_ms(), self._host)
        self.remember_end(End(link.number, link.hash))
        return link

    def renew(self, hold_of: Callable[[Link], str]) -> dict[str, str]:
        """Within `alone`: encrypt every archive with the newest key that is not, and vouch for the list; why some were not, by their ids.

        Each in this order: another file, read back to its end; a line on the list that names it; only then the former file goes.
        So whatever kills it, the list names a file that is whole. `hold_of`: why an archive must stay as it is, if it must.
        """
        for stored, link in self._chain.left_behind():  # by who was killed before it could delete it
            if self._vault.holds(stored.file) and not self._fault(link):  # else it may be all that is left
                self._vault.discard(stored)
        links, failed = [link for link in self._chain.links() if self._is_former(link)], dict[str, str]()
        for done, link in enumerate(links, start=1):
            report(done, len(links), "archives")
            why = hold_of(link) or self._renewed(link)
            failed |= {link.id: why} if why else {}
        return failed | self._vouched()

    def keys_needed(self) -> Iterator[tuple[str, Link]]:
        """Of each archive the id of the key it is encrypted with."""
        for link in self._chain.links():
            if key := self._vault.key_of(link.stored.file):
                yield key, link

    def signers(self) -> Iterator[int]:
        """Of each line of the list the key that verifies it, as its place among those known here; -1 where it is not."""
        known = {key: place for place, key in enumerate(self._chain.key_ids)}
        return (known.get(key, -1) for key in self._chain.signers())

    def _vouched(self) -> dict[str, str]:
        try:
            end = self._chain.vouch(self._clock.now_ms(), self._host, self._last_known())
        except PermanentError as error:
            return {LIST: str(error)}
        if end is not None:
            self.remember_end(end)
        return {}

    def _is_former(self, link: Link) -> bool:
        return self._vault.key_of(link.stored.file) not in ("", self._vault.newest)

    def _renewed(self, link: Link) -> str:
        try:
            stored = self._vault.renew(link.stored)
        except PermanentError as error:
            return str(error)
        self.remember_end(self._chain.replace(link, stored, self._clock.now_ms(), self._host))
        self._vault.discard(link.stored)
        return ""

    def remember_end(self, end: End | None) -> None:
        """From now on this is what the list ends with."""
        span = round(MACHINES_KEPT.total_seconds() * 1000)
        self._scripts.run("archives_end", self._host, end.hash if end else "", span)

    def lost_end(self) -> bool:
        """Whether Redis knows of a later archive than the list does."""
        end = self._last_known()
        return bool(end) and end not in self._chain.hashes()

    def _last_known(self) -> str | None:
        found: str | None = self._client.hget(self._keys.log_archives, self._host)
        return found

    def _written(self, source: Source, item: Item, number: int) -> Stored | None:
        """A new archive; None where the item has changed meanwhile."""
        with source.read(item) as content:
            stored = self._vault.put(label_of(number, item), content)
        self._vault.verify(stored)
        with source.read(item) as content:
            if digest_of(content) == stored.sha256:
                return stored
        self._vault.discard(stored)
        return None

    def _left_behind(self, source: Source, item: Item, shelf: Shelf) -> Stored | None:
        """What a run that was killed had written of it and not put on the list."""
        for left in shelf.unlisted(item):
            with suppress(PermanentError), source.read(item) as content:
                stored = self._vault.measure(left.file)
                if left.file.endswith(self._vault.suffix) and stored.sha256 == digest_of(content):
                    return stored
        return None

    def _sound(self, source: Source, item: Item, shelf: Shelf) -> Link | None:
        """The archive on the list that holds what the item is now, and reads back so."""
        same = shelf.listed(item)
        if not same:
            return None
        with source.read(item) as content:
            digest = digest_of(content)
        return next((link for link in same if link.stored.sha256 == digest and not self._fault(link)), None)

    def views(self, kind: Kind | None = None) -> list[ArchiveView]:
        """Every archive, or those of one class, oldest first."""
        return [self._view(link) for link in self._chain.links() if kind in (None, link.kind)]

    def verify(self) -> ArchivesVerified:
        """Whether the list and every archive on it are as they were written, and no other lies there."""
        faults = list(self._chain.faults(self._last_known()))
        links = list(self._chain.links())
        for done, link in enumerate(links, start=1):
            report(done, len(links), "archives")
            fault = self._fault(link)
            faults += [f"archive {link.id} ({link.kind} {link.name}): {fault}"] if fault else []
        faults += self._strays()
        size = sum(link.stored.bytes for link in links)
        return ArchivesVerified(holds=not faults, archives=len(links), bytes=size, faults=faults)

    def _strays(self) -> list[str]:
        """A run that goes on just now has not listed what it writes."""
        if is_held(self._vault.folder / "lock"):
            return []
        left = unlisted(self._vault.folder, list(self._chain.links()))
        return [f"{one.file} is not on the list: see `tocsin logs relist`" for one in left]

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
            now = next((one for one in self._chain.links() if one.hash == link.hash), link)
            return str(error) if now.stored == link.stored else self._fault(now)  # it was encrypted anew meanwhile
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
