"""A repository in a folder, with sources made of plain dictionaries and the real encryption."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tasks.backups.items import FileItem, Item
from tasks.backups.local_folder import LocalFolder
from tasks.backups.packs import FULL
from tasks.backups.pruning import Pruner
from tasks.backups.repository import Repository
from tasks.backups.retention import Keep
from tasks.backups.snapshotting import Origin, Snapshotter
from tasks.backups.storage import Hold
from tasks.backups.verification import Verifier
from tasks.utils.encryption import SecurityManager

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.backups.items import Progress
    from tasks.backups.manifests import Snapshot
    from tasks.backups.models import PruneReport, VerifyReport

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
OTHER_KEY = base64.urlsafe_b64encode(b"o" * 32).decode()
CANARY = "canary-4711-of-the-account"
ORIGIN = Origin("development", "here", "1.0")


def untold(*_: object) -> None:
    """Nobody waits."""


@dataclass
class Shelf:
    """A source whose items are whatever a test puts there."""

    name: str = "account"
    documents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    def read(self, progress: Progress) -> Iterator[Item | FileItem]:
        progress(0, None, self.name)
        for (kind, item_id), document in self.documents.items():
            yield Item(kind, item_id, document)
        for item_id, path in self.files.items():
            yield FileItem("files", item_id, path)


def many(count: int, *, changed: frozenset[int] = frozenset(), version: int = 1) -> Shelf:
    """So many services, each with a secret of its own."""
    return Shelf(
        documents={
            ("services", f"P{number:05}"): {
                "name": f"service {number}",
                "description": f"{CANARY} {number * 7919 % 10007:x} " * 3,
                "policy": f"E{number % 50}",
                "version": version if number in changed else 0,
            }
            for number in range(count)
        }
    )


class Kit:
    """The verbs, on one folder, with or without a key."""

    def __init__(self, folder: Path, *keys: str, pack_bytes: int = FULL) -> None:
        self.folder = folder
        self.repository = Repository(LocalFolder(folder), SecurityManager(keys) if keys else None, pack_bytes)

    def create(self, *sources: Shelf, encrypt: bool | None = None, note: str = "") -> Snapshot:
        with self.repository.storage.hold(Hold.WRITE):
            header = self.repository.begin(encrypt=encrypt)
            return Snapshotter(self.repository, sources).take(
                header, ORIGIN._replace(note=note), datetime.now(UTC), untold
            )

    def verify(self, *, read_data: bool = True) -> VerifyReport:
        return Verifier(self.repository, read_data=read_data, progress=untold).verify(datetime.now(UTC))

    def prune(self, keep: Keep | None = None, *, dry_run: bool = False) -> PruneReport:
        return Pruner(self.repository, keep or Keep(last=1), untold).prune(dry_run=dry_run)

    def files(self, folder: str = "") -> list[Path]:
        """Every file that is the repository's own."""
        found = [path for path in sorted((self.folder / folder).rglob("*")) if path.is_file()]
        return [path for path in found if path.parent.name != "locks"]

    def size(self) -> int:
        return sum(path.stat().st_size for path in self.files())

    def holds(self, snapshot: Snapshot) -> dict[str, Any]:
        """Each item of a snapshot, read from the storage."""
        objects = self.repository.objects()
        named = self.repository.named(self.repository.manifest(snapshot), objects)
        return {one.name: objects.read(one.object) for one in named}


def flip(path: Path, bit: int) -> None:
    """Turn one bit of a file around."""
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
