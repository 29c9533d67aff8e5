"""The list of archives, chained and signed: none can be changed, taken out or put in unseen by whoever lacks the key."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.logs.vault import Stored
from tasks.utils.error_handler import PermanentError
from tasks.utils.files import append, cut_half_line, lines_backwards

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tasks.logs.items import Item, Kind

FILE: Final = "chain.jsonl"
GENESIS: Final = "0" * 64
UNSIGNED: Final = "is not signed"
_NUMBER: Final = re.compile(r"/(\d+)-")


class Link(NamedTuple):
    """One archive on the list: what was in it, where it lies. `number` and `hash` are of its first line; see `ArchiveChain.replace`."""

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


class End(NamedTuple):
    """The end of the list: the number of its last line, and its hash."""

    number: int
    hash: str


class ArchiveChain:
    """The file `chain.jsonl`. The first of `keys` signs, each of them verifies; without any, lines are unsigned.

    A line is an archive; or says that the file of one was encrypted anew (`of`: the archive's number); or that what former
    keys have signed was found to be as it was signed (`vouched`: their ids), so that those are not needed for it any longer.
    """

    def __init__(self, folder: Path, keys: Sequence[bytes]) -> None:
        self._path = folder / FILE
        self._keys = {hashlib.sha256(b"id of " + key).hexdigest()[:8]: key for key in keys}

    @property
    def key_ids(self) -> tuple[str, ...]:
        """What its keys go by in its lines, in their order."""
        return tuple(self._keys)

    def add(self, item: Item, stored: Stored, at: int, host: str) -> Link:
        """Write down one more; on return the disk has it."""
        span = {"first": _ms(item.first), "last": _ms(item.last)}
        fields = self._append(
            {"at": at, "host": host, "kind": item.kind, "name": item.name, **span, "stored": stored._asdict()}
        )
        return _link(fields)

    def replace(self, link: Link, stored: Stored, at: int, host: str) -> End:
        """Write down that what an archive holds lies, the same, in another file."""
        plain = {name: getattr(link, name) for name in ("kind", "name", "first", "last")}
        return _end(self._append({"at": at, "host": host, **plain, "stored": stored._asdict(), "of": link.number}))

    def vouch(self, at: int, host: str, last: str | None = None) -> End | None:
        """Write down, with the newest key, that all lines of former ones are as they were signed; None where that is known.

        PermanentError where one is not: then the former keys stay needed.
        """
        if not set(self.signers()) - set(self.key_ids[:1]):
            return None
        # All there ever were: what a former key has vouched for is forgotten with that key.
        former = sorted({fields["key"] for _, fields in self._lines() if fields is not None} - {"", *self.key_ids[:1]})
        faults = [fault for fault in self.faults(last) if UNSIGNED not in fault]
        if faults:
            raise PermanentError(f"the list of archives is not as it was written, and is not signed anew: {faults[0]}")
        return _end(self._append({"at": at, "host": host, "vouched": former}))

    def last(self) -> End | None:
        """The end of the list; None where there is none."""
        return next((_end(json.loads(line)) for line in lines_backwards(self._path)), None)

    def links(self) -> Iterator[Link]:
        """Every archive with the file it lies in by now, oldest first; what is not readable is left out, and `faults` says so."""
        yield from self._by_number().values()

    def left_behind(self) -> Iterator[tuple[Stored, Link]]:
        """The files in whose place another one is, each with the archive that names that one."""
        current = self._by_number()
        files = {link.stored.file for link in current.values()}
        for fields in self._archives():
            stored = _link(fields).stored
            if stored.file not in files:
                yield stored, current[_number(fields)]

    def hashes(self) -> set[str]:
        """Those of all lines."""
        return {fields["h"] for _, fields in self._lines() if fields is not None}

    def signers(self) -> Iterator[str]:
        """For each line the key it needs to be verified: its own, or that of whoever vouched for it while its own was a former one."""
        vouched = self._vouched()
        for _, fields in self._lines():
            if fields is not None and (own := fields["key"]):
                number, voucher = vouched.get(own, (0, ""))
                yield voucher if own not in self.key_ids[:1] and number > fields["n"] else own

    def faults(self, last: str | None = None) -> Iterator[str]:
        """What is wrong with the list, by line. `last`: the hash of its last line, where somebody else knows it."""
        before, vouched = GENESIS, self._vouched()
        for number, fields in self._lines():
            where = f"line {number} of {FILE}"
            if fields is None:
                yield f"{where} is not readable: it was changed after it was written"
                before = ""
                continue
            if before and fields["before"] != before:
                yield f"{where} does not follow the line before it: a line was taken out, put in or moved"
            wrong = self._wrong(fields, vouched)
            if wrong:
                yield f"{where} {wrong}"
            before = fields["h"]
        if last and last not in self.hashes():
            yield f"the end of {FILE} is missing: Redis knows of a later archive"

    def _append(self, told: dict[str, Any]) -> dict[str, Any]:
        cut_half_line(self._path)
        before = self.last()
        fields: dict[str, Any] = {
            **told,
            "n": before.number + 1 if before else 1,
            "key": next(iter(self._keys), ""),
            "before": before.hash if before else GENESIS,
        }
        fields["h"] = hashlib.sha256(_encode(fields)).hexdigest()
        append(self._path, _encode({**fields, "mac": self._sign(fields["h"], fields["key"])}) + b"\n")
        return fields

    def _by_number(self) -> dict[int, Link]:
        found: dict[int, Link] = {}
        for fields in self._archives():
            number, link = _number(fields), _link(fields)
            found[number] = found[number]._replace(stored=link.stored) if number in found else link
        return found

    def _archives(self) -> Iterator[dict[str, Any]]:
        return (fields for _, fields in self._lines() if fields is not None and "stored" in fields)

    def _vouched(self) -> dict[str, tuple[int, str]]:
        """Up to which line what a key has signed was found to be so, and by which key that is signed.

        The chain of hashes binds what was found: a line before that was changed since does not lead to this one.
        """
        found: dict[str, tuple[int, str]] = {}
        for _, fields in self._lines():
            if fields is not None and fields["key"] in self._keys and not self._wrong(fields, {}):
                found.update(dict.fromkeys(fields.get("vouched", ()), (fields["n"], fields["key"])))
        return found

    def _wrong(self, fields: dict[str, Any], vouched: Mapping[str, tuple[int, str]]) -> str:
        bare = {name: value for name, value in fields.items() if name not in ("h", "mac")}
        if hashlib.sha256(_encode(bare)).hexdigest() != fields["h"]:
            return "was changed after it was written"
        if self._keys and not fields["mac"]:
            return f"{UNSIGNED} although an encryption key is set: it was forged, or written before there was a key"
        if fields["key"] and fields["key"] not in self._keys:
            is_vouched = vouched.get(fields["key"], (0, ""))[0] > fields["n"]
            return "" if is_vouched else f"is signed with a key that is not known here (id {fields['key']})"
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
        is_whole = {"key", "mac", "before"} <= fields.keys() and _end(fields).number > 0
        is_whole = is_whole and ("vouched" in fields or _link(fields).number > 0)
    except (ValueError, TypeError, KeyError):
        return None
    return fields if is_whole else None


def _link(fields: dict[str, Any]) -> Link:
    plain = {name: fields[name] for name in ("at", "host", "kind", "name", "first", "last")}
    return Link(number=int(fields["n"]), stored=Stored(**fields["stored"]), hash=str(fields["h"]), **plain)


def _number(fields: dict[str, Any]) -> int:
    """Of the archive that a line is about."""
    return int(fields.get("of", fields["n"]))


def _end(fields: dict[str, Any]) -> End:
    return End(int(fields["n"]), str(fields["h"]))


def _encode(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _datetime(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
