"""The objects of a repository: each content is stored once, whoever asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.backups.codec import DamagedError, Plain, unseal_object
from tasks.backups.packs import FOLDER, FULL, PackWriter, Place, directory
from tasks.backups.quarantine import Quarantine, without
from tasks.backups.storage import MissingBlobError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.backups.codec import Codec
    from tasks.backups.storage import Blob, Storage


class Objects:
    """Finds, reads and adds objects. What lies where is read from the packs once, in the beginning.

    `packs`: each pack with what lies in it; `damage`: what is wrong with packs of which that cannot be said;
    `quarantined`: (pack, object) of what verification found damaged.
    """

    def __init__(self, storage: Storage, codec: Codec, full: int = FULL) -> None:
        self.storage = storage
        self.codec = codec
        self.packs: dict[Blob, dict[str, Place]] = {}
        self.damage: dict[Blob, str] = {}
        self.quarantined: frozenset[tuple[str, str]] = frozenset()
        self._codecs: dict[bytes, Codec] = {Plain.mark: Plain(), codec.mark: codec}
        self._places: dict[str, Place] = {}
        self._written: dict[str, Codec] = {}
        self._waiting: set[str] = set()
        self._fresh: list[str] = []
        self._writer = PackWriter(storage, codec, full)
        self._load()

    def _load(self) -> None:
        self.quarantined = self._damaged()
        for blob in self.storage.list(FOLDER):
            try:
                codec, places = directory(self.storage, blob, self._codecs)
            except MissingBlobError:
                continue  # cleared away since it was listed
            except DamagedError as error:
                self.damage[blob] = str(error)
                continue
            self._written[blob.name] = codec
            self.packs[blob] = places
            self._places |= without(places, self.quarantined)

    def _damaged(self) -> frozenset[tuple[str, str]]:
        try:
            return Quarantine(self.storage).read()
        except DamagedError:
            return frozenset()  # verification says so

    def __contains__(self, name: str) -> bool:
        return name in self._places or name in self._waiting

    @property
    def places(self) -> Mapping[str, Place]:
        """Where every object lies that can be counted on."""
        return self._places

    def add(self, data: bytes) -> str:
        """The name of an object with that content; stored if it was not there. It is for good once `flush` has returned."""
        name = self.codec.identify(data)
        if name not in self:
            self._waiting.add(name)
            self._settle(self._writer.add(name, data))
        return name

    def flush(self) -> int:
        """Store what waits; how many bytes were stored since the repository was opened."""
        self._settle(self._writer.flush())
        return self._writer.bytes

    def _settle(self, places: dict[str, Place]) -> None:
        if places:
            self._places |= places
            self._waiting -= places.keys()
            pack = next(iter(places.values())).pack
            self._written[pack] = self.codec
            self._fresh.append(pack)

    @property
    def fresh(self) -> tuple[str, ...]:
        """The packs that were stored since the repository was opened."""
        return tuple(self._fresh)

    def written(self, pack: str) -> Codec:
        """How the objects of a pack are written."""
        return self._written[pack]

    def read(self, name: str) -> bytes:
        """The content of an object. DamagedError: it is missing, or not as it was stored."""
        place = self._places.get(name)
        if place is None:
            raise DamagedError(f"object {name} is missing")
        try:
            stored = self.storage.get(place.pack, place.offset, place.size)
        except MissingBlobError:
            raise DamagedError(f"object {name} is missing: {place.pack} is gone") from None
        try:
            return unseal_object(self._written[place.pack], name, stored)
        except DamagedError as error:
            raise DamagedError(f"object {error}, in {place.pack}") from None
