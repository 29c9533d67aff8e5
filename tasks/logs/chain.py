"""The list of archives, chained and signed: none can be changed, taken out or put in unseen by whoever lacks the key."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.logs.vault import Stored
from tasks.utils.files import append, cut_half_line, lines_backwards

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.logs.items import Item, Kind

FILE: Final = "chain.jsonl"
GENESIS: Final = "0" * 64
_NUMBER: Final = re.compile(r"/(\d+)-")


class Link(NamedTuple):
    """One archive on the list: what was in it, where it lies."""

    number: int
    at: int
    host: str
    kind: Kind
    name: str
    first: int
    last: int
    stored: Stored
    hash: str

    @property
    def id(self) -> str:
        """By which people name it: it can be told from the file alone."""
        return f"{number_of(self.stored.file)}-{self.stored.sha256[:8]}"

    @property
    def made_at(self) -> datetime:
        """When."""
        return _datetime(self.at)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """What time it tells of."""
        return _datetime(self.first), _datetime(self.last)


class ArchiveChain:
    """The file `chain.jsonl`. The first of `keys` signs, each of them verifies; without any, links are unsigned."""

    def __init__(self, folder: Path, keys: Sequence[bytes]) -> None:
        self._path = folder / FILE
        self._keys = {hashlib.sha256(b"id of " + key).hexdigest()[:8]: key for key in keys}

    def add(self, item: Item, stored: Stored, at: int, host: str) -> Link:
        """Write down one more; on return the disk has it."""
        cut_half_line(self._path)
        before = self.last()
        fields: dict[str, Any] = {
            "n": before.number + 1 if before else 1,
            "at": at,
            "host": host,
            "kind": item.kind,
            "name": item.name,
            "first": _ms(item.first),
            "last": _ms(item.last),
            "stored": stored._asdict(),
            "key": next(iter(self._keys), ""),
            "before": before.hash if before else GENESIS,
        }
        fields["h"] = hashlib.sha256(_encode(fields)).hexdigest()
        append(self._path, _encode({**fields, "mac": self._sign(fields["h"], fields["key"])}) + b"\n")
        return _link(fields)

    def last(self) -> Link | None:
        """The newest archive; None where there is none."""
        return next((_link(json.loads(line)) for line in lines_backwards(self._path)), None)

    def links(self) -> Iterator[Link]:
        """Every archive, oldest first; what is not readable is left out, and `faults` says so."""
        for _, fields in self._lines():
            if fields is not None:
                yield _link(fields)

    def faults(self, last: str | None = None) -> Iterator[str]:
        """What is wrong with the list, by line. `last`: the hash of its last link, where somebody else knows it."""
        before = GENESIS
        for number, fields in self._lines():
            where = f"line {number} of {FILE}"
            if fields is None:
                yield f"{where} is not readable: it was changed after it was written"
                before = ""
                continue
            if before and fields["before"] != before:
                yield f"{where} does not follow the line before it: a line was taken out, put in or moved"
            wrong = self._wrong(fields)
            if wrong:
                yield f"{where} {wrong}"
            before = fields["h"]
        if last and last not in {link.hash for link in self.links()}:
            yield f"the end of {FILE} is missing: Redis knows of a later archive"

    def _wrong(self, fields: dict[str, Any]) -> str:
        bare = {name: value for name, value in fields.items() if name not in ("h", "mac")}
        if hashlib.sha256(_encode(bare)).hexdigest() != fields["h"]:
            return "was changed after it was written"
        if self._keys and not fields["mac"]:
            return "is not signed although an encryption key is set: it was forged, or written before there was a key"
        if fields["key"] and fields["key"] not in self._keys:
            return f"is signed with a key that is not known here (id {fields['key']})"
        if not hmac.compare_digest(str(fields["mac"]), self._sign(fields["h"], fields["key"])):
            return "has a signature that does not fit: it was forged"
        return ""

    def _sign(self, digest: str, key_id: str) -> str:
        key = self._keys.get(key_id)
        return hmac.new(key, digest.encode(), hashlib.sha256).hexdigest() if key else ""

    def _lines(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):  # else it is being written just now, or a crash cut it short
                    yield number, _read(line)


def number_of(file: str) -> int:
    """The number in the name of an archive; 0 where there is none."""
    found = _NUMBER.search(file)
    return int(found[1]) if found else 0


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        fields: dict[str, Any] = json.loads(line)
        is_whole = {"key", "mac", "before"} <= fields.keys() and _link(fields).number > 0
    except (ValueError, TypeError, KeyError):
        return None
    return fields if is_whole else None


def _link(fields: dict[str, Any]) -> Link:
    plain = {name: fields[name] for name in ("at", "host", "kind", "name", "first", "last")}
    return Link(number=int(fields["n"]), stored=Stored(**fields["stored"]), hash=str(fields["h"]), **plain)


def _encode(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _datetime(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
