"""Which files of an archive were moved away, and where to: signed, so that nobody can delete files and call that moving."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.audit.chain import Head, take_apart
from tasks.utils.files import append, cut_half_line, lines_backwards, replace_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.audit.anchors import Anchors

FILE: Final = "moved.jsonl"


class Moved(NamedTuple):
    """One file that was moved. `first`: number of its first entry; `head`: its end; `wrong` says why this cannot be trusted."""

    file: str
    first: int
    head: Head
    archive: str
    wrong: str


class MovedFiles:
    """The file `moved.jsonl` beside the anchors, signed with their keys."""

    def __init__(self, folder: Path, anchors: Anchors) -> None:
        self._path = folder / FILE
        self._anchors = anchors

    def add(self, file: str, first: int, head: Head, archive: str, at: int) -> None:
        """Write down that a file lies in that archive; on return the disk has it."""
        cut_half_line(self._path)
        fields = {
            "file": file,
            "first": first,
            "n": head.number,
            "id": head.id,
            "h": head.hash,
            "archive": archive,
            "t": at,
        }
        append(self._path, json.dumps(self._anchors.signed(fields), sort_keys=True).encode() + b"\n")

    def before(self, files: Sequence[Path]) -> Moved | None:
        """The file that stood before these; None where they begin with the first entry, or nobody knows."""
        first = _first_number(files[0]) if files else None
        if first is None or first <= 1:
            return None
        return next((moved for moved in self.all() if moved.head.number == first - 1), None)

    def all(self) -> list[Moved]:
        """Every move, the newest first."""
        return [self._moved(fields) for fields in map(_read, lines_backwards(self._path)) if fields]

    def signers(self) -> Iterator[int]:
        """As `Anchors.signers`."""
        return (
            self._anchors.place(fields) for fields in map(_read, lines_backwards(self._path)) if fields and fields["k"]
        )

    def renew(self) -> None:
        """Sign with the newest key what a former one has signed; what is wrong stays as it was. Nobody may add to it meanwhile."""
        lines = [self._signed_anew(line) + b"\n" for line in lines_backwards(self._path)]
        if lines:
            replace_whole(self._path, b"".join(reversed(lines)))

    def _signed_anew(self, line: bytes) -> bytes:
        fields = _read(line)
        if not fields or not fields["k"] or self._anchors.wrong_with(fields):
            return line
        kept = {name: value for name, value in fields.items() if name not in ("k", "mac")}
        return json.dumps(self._anchors.signed(kept), sort_keys=True).encode()

    def _moved(self, fields: dict[str, Any]) -> Moved:
        head = Head(int(fields["n"]), str(fields["id"]), str(fields["h"]))
        return Moved(fields["file"], int(fields["first"]), head, fields["archive"], self._anchors.wrong_with(fields))


def _first_number(path: Path) -> int | None:
    with path.open("rb") as file:
        line = file.readline()
    try:
        return take_apart(line.removesuffix(b"\n")).number
    except ValueError:
        return None


def _read(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
        return fields if {"file", "first", "n", "id", "h", "archive", "k", "mac"} <= fields.keys() else {}
    except (ValueError, AttributeError):
        return {}
