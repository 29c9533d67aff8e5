"""Files of chained records, the ledger and the acts: they go oldest first and come back without a gap."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Protocol

from tasks.logs.files import write_back
from tasks.logs.items import Item

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from tasks.logs.items import Kind


class OutgoingFile(Protocol):
    """See `tasks.audit.outgoing`."""

    @property
    def path(self) -> Path: ...  # noqa: D102
    @property
    def first(self) -> datetime: ...  # noqa: D102
    @property
    def last(self) -> datetime: ...  # noqa: D102
    @property
    def services(self) -> frozenset[str] | None: ...  # noqa: D102
    @property
    def open(self) -> str: ...  # noqa: D102


class Record(Protocol):
    """See `tasks.audit.outgoing`."""

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        ...

    def files(self, before: datetime) -> Iterator[OutgoingFile]:
        """Those whose every entry is older than that moment, oldest first."""
        ...

    def move_out(self, path: Path, archive: str) -> bool:
        """Note that a file lies in that archive, then delete it. False where it is not there, or not the first."""
        ...


class RecordFiles:
    """The files of one record. `label` stands before their names where a class has several records."""

    is_row = True

    def __init__(self, kind: Kind, record: Record, label: str = "") -> None:
        self.kind: Kind = kind
        self._record = record
        self._label = label

    def items(self, before: datetime) -> Iterator[Item]:
        """Oldest first."""
        for file in self._record.files(before):
            size, name = file.path.stat().st_size, self._label + file.path.name
            yield Item(self.kind, name, size, file.first, file.last, file.services, file.open)

    @contextmanager
    def read(self, item: Item) -> Iterator[BinaryIO]:
        """Its content; it never changes any more."""
        with self._path(item.name).open("rb") as file:
            yield file

    def remove(self, item: Item, archive: str) -> bool:
        """Delete it, with a note that tells whoever proves where it is."""
        return self._record.move_out(self._path(item.name), archive)

    def has(self, name: str) -> bool:
        """Whether the name begins with the label."""
        return name.startswith(self._label)

    def needs(self, name: str, other: str) -> bool:
        """Those after it are needed, too."""
        return self.has(other) and other >= name

    def bring_back(self, name: str, content: BinaryIO) -> str:
        """Where it was."""
        return str(write_back(self._path(name), content))

    def _path(self, name: str) -> Path:
        return self._record.folder / name.removeprefix(self._label)
