"""Making a snapshot: everything the sources have, what is new of it stored, and last of all the manifest that makes it count."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from tasks.backups.files import write_file
from tasks.backups.items import Item, canonical
from tasks.backups.listings import FILE, Entry, write_listing
from tasks.backups.manifests import Manifest, Part, Snapshot
from tasks.utils.error_handler import TocsinError, TransientError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from tasks.backups.account.reading import Gap
    from tasks.backups.files import Masked
    from tasks.backups.header import Header
    from tasks.backups.items import FileItem, Progress, Source
    from tasks.backups.objects import Objects
    from tasks.backups.repository import Repository


class Origin(NamedTuple):
    """Where a snapshot is made; stands in its readable line."""

    environment: str
    host: str
    version: str
    note: str = ""


class Snapshotter:
    """Reads the sources one after another into a repository; `masked` takes out of a file's chunks what must not lie in a backup.

    Sources of `may_miss` are left out where they cannot be read; `missed` says why. `gaps`: what a source could not read of what it has.
    """

    def __init__(
        self,
        repository: Repository,
        sources: Sequence[Source],
        masked: Masked = iter,
        may_miss: Collection[str] = (),
    ) -> None:
        self._repository = repository
        self._sources = sources
        self._masked = masked
        self._may_miss = may_miss
        self.missed: dict[str, str] = {}
        self.gaps: list[Gap] = []

    def take(self, header: Header, origin: Origin, at: datetime, progress: Progress) -> Snapshot:
        """The new snapshot, of the moment `at`. Where this raises, or the process dies, there is none; the next one uses what it stored."""
        began = time.monotonic()
        objects = self._repository.objects()
        gathered = {source.name: self._gather(source, objects, progress) for source in self._sources}
        read = {name: part for name, part in gathered.items() if part is not None}
        lists = {name: part.write() for name, part in read.items()}
        added = objects.flush()
        snapshot = Snapshot(
            id="",
            created=at,
            is_encrypted=header.is_encrypted,
            key_id=header.key_id,
            parts={name: Part(part.items, part.bytes) for name, part in read.items()},
            added=added,
            packs=objects.fresh,
            took_seconds=round(time.monotonic() - began, 3),
            **origin._asdict(),
        )
        return self._repository.add(Manifest(snapshot, lists))

    def _gather(self, source: Source, objects: Objects, progress: Progress) -> _Gathered | None:
        """All that a source has; None where it cannot be read and may be left out."""
        gathered = _Gathered(objects, self._masked)
        try:
            for item in source.read(progress):
                gathered.take(item)
        except TocsinError as error:
            if source.name not in self._may_miss:
                raise
            self.missed[source.name] = str(error)
            return None
        self.gaps += getattr(source, "gaps", ())
        return gathered


class _Gathered:
    """What was read of one source so far."""

    def __init__(self, objects: Objects, masked: Masked) -> None:
        self._objects = objects
        self._masked = masked
        self._kinds: dict[str, list[Entry]] = defaultdict(list)
        self.items = 0
        self.bytes = 0

    def take(self, item: Item | FileItem) -> None:
        if isinstance(item, Item):
            data = canonical(item.document)
            entry, size = Entry(item.id, self._objects.add(data)), len(data)
        else:
            try:
                name, size = write_file(self._objects, item.path, self._masked)
            except FileNotFoundError:
                return  # it went since it was listed
            except OSError as error:
                raise TransientError(
                    f"{item.path} cannot be read: {error.strerror}; let this process read it, or move it away"
                ) from error
            entry = Entry(item.id, name, FILE)
        self._kinds[item.kind].append(entry)
        self.items += 1
        self.bytes += size

    def write(self) -> dict[str, str]:
        return {kind: write_listing(self._objects, entries) for kind, entries in sorted(self._kinds.items())}
