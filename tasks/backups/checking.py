"""Whether what snapshots hold is there and as it was stored; each object is looked at once, however many snapshots share it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tasks.backups.codec import DamagedError, unseal_object
from tasks.backups.files import chunks_of
from tasks.backups.listings import FILE, Entry, read_piece, read_pieces
from tasks.backups.packs import FOLDER
from tasks.backups.storage import MissingBlobError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.backups.items import Progress
    from tasks.backups.manifests import Manifest
    from tasks.backups.objects import Objects
    from tasks.backups.storage import Blob


class Checker:
    """Looks at objects and lists. `read_data`: at their content too, not only whether they are there."""

    def __init__(self, objects: Objects, *, read_data: bool) -> None:
        self._objects = objects
        self._read_data = read_data
        self._seen: dict[str, str] = {}
        self._pieces: dict[str, dict[str, list[str]]] = {}
        self.bytes = 0

    def read_pack(self, blob: Blob) -> Iterator[tuple[str, str]]:
        """Read a pack, every byte of it; the names of its objects that are damaged, with what is to be said of them.

        A name of '' is the pack's own.
        """
        try:
            data = self._objects.storage.get(blob.name)
        except MissingBlobError:
            return  # cleared away since
        self.bytes += len(data)
        is_whole = f"{FOLDER}/{hashlib.sha256(data).hexdigest()}" == blob.name
        found = [name for name in self._objects.packs[blob] if not self._is_whole(blob, name, data)]
        yield from ((name, f"object {name} is damaged, in {blob.name}") for name in found)
        if not is_whole and not found:
            yield "", f"{blob.name} is damaged: its content is another one, though its objects can be read"

    def _is_whole(self, blob: Blob, name: str, data: bytes) -> bool:
        place = self._objects.packs[blob][name]
        try:
            unseal_object(self._objects.written(blob.name), name, data[place.offset : place.offset + place.size])
        except DamagedError as error:
            if self._objects.places.get(name) == place:
                self._seen[name] = f"object {error}, in {blob.name}"
            return False
        if self._objects.places.get(name) == place:
            self._seen[name] = ""
        return True

    def faults(self, manifest: Manifest) -> dict[str, list[str]]:
        """What is wrong with a snapshot: fault -> the addresses of the items that need it."""
        found: dict[str, list[str]] = {}
        for source, kinds in manifest.lists.items():
            for kind, listing in kinds.items():
                for what, ids in self._of_listing(listing).items():
                    found.setdefault(what, []).extend(f"{source}/{kind}/{item}" for item in ids)
        return found

    def _of_listing(self, listing: str) -> dict[str, list[str]]:
        if listing not in self._pieces:
            found: dict[str, list[str]] = {}
            try:
                pieces = read_pieces(self._objects, listing)
            except DamagedError as error:
                return {str(error): ["*"]}
            for piece in pieces:
                for what, ids in self._of_piece(piece).items():
                    found.setdefault(what, []).extend(ids)
            self._pieces[listing] = found
        return self._pieces[listing]

    def _of_piece(self, piece: str) -> dict[str, list[str]]:
        if piece not in self._pieces:
            found: dict[str, list[str]] = {}
            try:
                entries = read_piece(self._objects, piece)
            except DamagedError as error:
                return {str(error): ["*"]}
            for entry in entries:
                for what in self._of_entry(entry):
                    found.setdefault(what, []).append(entry.id)
            self._pieces[piece] = found
        return self._pieces[piece]

    def _of_entry(self, entry: Entry) -> Iterator[str]:
        what = self._of_object(entry.object)
        if what:
            yield what
        elif entry.form == FILE:
            try:
                chunks = chunks_of(self._objects, entry.object)
            except DamagedError as error:
                yield str(error)
            else:
                yield from filter(None, map(self._of_object, chunks))

    def _of_object(self, name: str) -> str:
        """What is wrong with an object; '' when nothing is."""
        if name not in self._objects:
            return f"object {name} is missing"
        if self._read_data and name not in self._seen:
            try:
                self.bytes += len(self._objects.read(name))
                self._seen[name] = ""
            except DamagedError as error:
                self._seen[name] = str(error)
        return self._seen.get(name, "")


def live_objects(objects: Objects, manifest: Manifest, live: set[str], progress: Progress) -> None:
    """Add the names of everything a snapshot needs to `live`. DamagedError: a list of it cannot be read."""
    for kinds in manifest.lists.values():
        for kind, listing in kinds.items():
            progress(len(live), None, kind)
            if listing in live:
                continue
            for piece in read_pieces(objects, listing):
                if piece not in live:
                    _add_piece(objects, piece, live)
            live.add(listing)


def _add_piece(objects: Objects, piece: str, live: set[str]) -> None:
    for entry in read_piece(objects, piece):
        live.add(entry.object)
        if entry.form == FILE:
            live.update(chunks_of(objects, entry.object))
    live.add(piece)
