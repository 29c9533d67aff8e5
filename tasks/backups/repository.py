"""A repository: snapshots in a storage, each complete by itself, sharing what they have in common."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.backups import header as headers
from tasks.backups import manifests
from tasks.backups.codec import Codec, DamagedError, Plain, Sealed
from tasks.backups.listings import FILE, Entry, read_listing
from tasks.backups.objects import Objects
from tasks.backups.packs import FULL
from tasks.backups.storage import MissingBlobError
from tasks.utils.error_handler import PermanentError, UnknownError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tasks.backups.header import Header, Wrapper
    from tasks.backups.manifests import Manifest, Snapshot
    from tasks.backups.storage import Storage

LATEST: Final = "latest"
_PREFIX: Final = re.compile(r"[0-9a-f]{4,64}")
_NAME: Final = re.compile(r"[0-9a-f]{64}")


class Named(NamedTuple):
    """An item of a snapshot by its address; `form` is "file" for a file, `object` leads to its content."""

    source: str
    kind: str
    id: str
    object: str
    form: str

    @property
    def name(self) -> str:
        """The address as people write it."""
        return f"{self.source}/{self.kind}/{self.id}"


class Repository:
    """Reads and writes snapshots. `wrapper` has the encryption keys; without one only what is not encrypted can be read."""

    def __init__(self, storage: Storage, wrapper: Wrapper | None, pack_bytes: int = FULL) -> None:
        self.storage = storage
        self._pack_bytes = pack_bytes
        self._wrapper = wrapper
        self._codecs: dict[bool, Codec] = {False: Plain()}

    @property
    def header(self) -> Header | None:
        """What the repository says of itself; None where there is none yet."""
        return headers.read(self.storage)

    def begin(self, *, encrypt: bool | None = None) -> Header:
        """The header to write under, made or renewed where it must be.

        `encrypt`: None encrypts where a key is set. Once it is encrypted a repository stays so. PermanentError: it cannot be as asked.
        """
        found = self.header
        wanted = self._wrapper is not None if encrypt is None else encrypt
        if found is not None and found.is_encrypted:
            if encrypt is False:
                raise PermanentError(
                    f"the repository in {self.storage.place} is encrypted and stays so: leave --no-encrypt out, or name another folder"
                )
            return self._renewed(found)
        if wanted:
            return self._encrypted(found or headers.new_header())
        return found or self._written(headers.new_header())

    def _renewed(self, found: Header) -> Header:
        """The key was changed: the repository's own key is wrapped in the new one."""
        key = headers.unwrap(found, self._wrapper)
        both_whole = set(headers.copies(self.storage).values()) == {found} and self._has_both()
        if self._wrapper is None or (self._wrapper.is_current(found.wrapped) and both_whole):
            return found
        current = found if self._wrapper.is_current(found.wrapped) else headers.with_key(found, self._wrapper, key)
        return self._written(current)

    def _has_both(self) -> bool:
        return len(headers.copies(self.storage)) == len(headers.NAMES)

    def _encrypted(self, found: Header) -> Header:
        if self._wrapper is None:
            raise PermanentError("the backup is to be encrypted, and no encryption key is set: set ENCRYPTION_KEY")
        return self._written(headers.with_key(found, self._wrapper, os.urandom(32)))

    def _written(self, header: Header) -> Header:
        headers.write(self.storage, header)
        return header

    def codec(self, *, encrypted: bool) -> Codec:
        """How snapshots are written, with the repository's key or without. NoKeyError: it cannot be had."""
        if encrypted and True not in self._codecs:
            header = self.header
            if header is None or not header.is_encrypted:
                raise DamagedError(
                    f"{self.storage.place} holds encrypted snapshots, and its repository.json has no key"
                )
            self._codecs[True] = Sealed(headers.unwrap(header, self._wrapper))
        return self._codecs[encrypted]

    def objects(self) -> Objects:
        """The objects as they lie there now; new ones are written as the header says."""
        header = self.header
        return Objects(self.storage, self.codec(encrypted=header is not None and header.is_encrypted), self._pack_bytes)

    def snapshots(self) -> list[Snapshot]:
        """Every snapshot that can be read, the oldest first; what is `wrong` with one is said by it. Needs no key."""
        return [found for found in self.all() if not isinstance(found, DamagedError)]

    def all(self) -> list[Snapshot | DamagedError]:
        """The same with those that say nothing any more, which come last."""
        found: list[Snapshot] = []
        lost: list[DamagedError] = []
        for blob in self.storage.list(manifests.FOLDER):
            name = blob.name.rpartition("/")[2]
            try:
                found.append(manifests.read_head(name, self.storage.get(blob.name)))
            except DamagedError as error:
                lost.append(error)
            except MissingBlobError:
                continue
        return [*sorted(found, key=lambda one: (one.created, one.id)), *lost]

    def find(self, reference: str) -> Snapshot:
        """A snapshot by `latest` or the beginning of its id. UnknownError: none, or several."""
        snapshots = self.snapshots()
        if reference == LATEST:
            if not snapshots:
                raise UnknownError(
                    f"there is no backup in {self.storage.place} yet: make one with `tocsin backups create`"
                )
            return snapshots[-1]
        fits = [one for one in snapshots if _PREFIX.fullmatch(reference) and one.id.startswith(reference)]
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise UnknownError(
                f"several backups begin with {reference!r}: {', '.join(one.short for one in fits)}; write more of it"
            )
        raise UnknownError(
            f"there is no backup {reference!r}; an id begins with at least four digits: see `tocsin backups list`"
        )

    def manifest(self, snapshot: Snapshot) -> Manifest:
        """Its lists. DamagedError: it is not as it was written."""
        data = self.storage.get(f"{manifests.FOLDER}/{snapshot.id}")
        return manifests.decode(snapshot.id, data, self.codec(encrypted=snapshot.is_encrypted))

    def add(self, manifest: Manifest) -> Snapshot:
        """Store a manifest: from now on the snapshot is there."""
        codec = self.codec(encrypted=manifest.snapshot.is_encrypted)
        name, data = manifests.encode(manifest, codec)
        self.storage.put(f"{manifests.FOLDER}/{name}", data)
        return replace(manifest.snapshot, id=name)

    def forget(self, snapshot: Snapshot) -> None:
        """Take a snapshot away; what only it held is left to `prune`."""
        self.storage.delete(f"{manifests.FOLDER}/{snapshot.id}")

    def named(self, manifest: Manifest, objects: Objects, sources: Sequence[str] = ()) -> Iterator[Named]:
        """Every item by its address, of these sources or of all. DamagedError: a list cannot be read."""
        for source, kinds in manifest.lists.items():
            if not sources or source in sources:
                for kind, listing in kinds.items():
                    yield from (_named(source, kind, entry) for entry in read_listing(objects, listing))


def is_snapshot_name(name: str) -> bool:
    """Whether a blob of the snapshots' folder can be one."""
    return _NAME.fullmatch(name) is not None


def _named(source: str, kind: str, entry: Entry) -> Named:
    return Named(source, kind, entry.id, entry.object, FILE if entry.form == FILE else "")


def as_fields(named: Named) -> dict[str, Any]:
    """As JSON shows it."""
    return {"source": named.source, "kind": named.kind, "id": named.id, "object": named.object}
