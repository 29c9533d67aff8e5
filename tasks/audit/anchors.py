"""Anchors: signed notes of how far the chain had come, and its hash. Who rewrites the archive cannot sign new ones."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tasks.audit.chain import Head
from tasks.utils.files import append, cut_half_line, lines_backwards, replace_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LABEL: Final = b"tocsin ledger anchor"
FILE: Final = "anchors.jsonl"
FIRST: Final = ""  # what the first anchor names as the one before it


def anchor_key(encryption_key: bytes) -> bytes:
    """The key anchors are signed with: from the encryption key by HKDF (SHA-256), so neither betrays the other."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=LABEL).derive(encryption_key)


class Anchor(NamedTuple):
    """One anchor as it was read. `wrong` says why it cannot be trusted; empty when it can."""

    line: int
    head: Head
    at: int
    wrong: str


class Anchors:
    """The file `anchors.jsonl`. The first of `keys` signs, each of them verifies; without any, anchors are unsigned."""

    def __init__(self, folder: Path, keys: Sequence[bytes]) -> None:
        self._path = folder / FILE
        self._keys = {_key_id(key): key for key in keys}

    @property
    def are_signed(self) -> bool:
        """Whether there is a key to sign with."""
        return bool(self._keys)

    def add(self, head: Head, at: int) -> None:
        """Write down how far the chain has come; on return the disk has it."""
        cut_half_line(self._path)
        before = next((_read(line).get("mac", FIRST) for line in lines_backwards(self._path)), FIRST)
        key_id = next(iter(self._keys), "")
        fields = {"n": head.number, "id": head.id, "h": head.hash, "t": at, "k": key_id, "before": before}
        append(self._path, _encode({**fields, "mac": self._sign(fields, key_id)}) + b"\n")

    def last(self) -> Head | None:
        """Where the last readable anchor stands; None when there is none."""
        for line in lines_backwards(self._path):
            fields = _read(line)
            if fields:
                return _head(fields)
        return None

    def last_before(self, at: int) -> Anchor | None:
        """The last readable anchor from before that moment (ms), its signature not looked at; None when there is none."""
        for line in lines_backwards(self._path):
            fields = _read(line)
            if fields and _moment(fields) < at:
                return Anchor(0, _head(fields), _moment(fields), "")
        return None

    def read(self, beyond: int = 0) -> Iterator[Anchor]:
        """Every anchor behind entry number `beyond`, in the order of the file."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            before: Any = FIRST
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return  # being written just now, or cut short by a crash before it counted
                fields = _read(line)
                head = _head(fields) if fields else None
                if head is None or head.number > beyond:
                    yield Anchor(number, head or Head(0, "", ""), _moment(fields), self._wrong(fields, before))
                before = fields.get("mac")

    def signers(self) -> Iterator[int]:
        """Of each anchor the key that signed it, as its place among those known here; -1 where it is not."""
        return (self.place(fields) for fields in map(_read, _raw(self._path)) if fields and fields["k"])

    def place(self, fields: dict[str, Any]) -> int:
        """The place of the key that signed, among those known here; -1 where it is not."""
        return next((place for place, key in enumerate(self._keys) if key == fields["k"]), -1)

    def renew(self) -> None:
        """Within the archive's `alone`: sign with the newest key what a former one has signed. What is wrong stays wrong, as it was.

        The file is replaced whole, so that a killed process has changed all of it or nothing.
        """
        cut_half_line(self._path)
        lines, before, before_now = list[bytes](), FIRST, FIRST
        for line in _raw(self._path):
            fields, new = _read(line), line
            if fields and fields["k"] and not self._wrong(fields, before):
                kept = {name: value for name, value in fields.items() if name not in ("k", "mac")}
                new = _encode(self.signed({**kept, "before": before_now})) + b"\n"
            before, before_now = str(fields.get("mac")), str(_read(new).get("mac"))
            lines.append(new)
        if lines:
            replace_whole(self._path, b"".join(lines))

    def signed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The same with a signature by the newest key."""
        key_id = next(iter(self._keys), "")
        known = {**fields, "k": key_id}
        return {**known, "mac": self._sign(known, key_id)}

    def wrong_with(self, fields: dict[str, Any]) -> str:
        """Why what `signed` made cannot be trusted; empty when it can."""
        return self._wrong(fields, None)

    def _wrong(self, fields: dict[str, Any], before: object) -> str:
        if not fields:
            return "is not readable: it was changed after it was written"
        if self._keys and not fields["mac"]:
            return "is not signed although an encryption key is set: it was forged, or written before there was a key"
        if fields["k"] and str(fields["k"]) not in self._keys:
            why = "the key changed" if self._keys else "ENCRYPTION_KEY is not set here"
            return f"is signed with a key that is not known here (id {fields['k']}): it was forged, or {why}"
        unsigned = {name: value for name, value in fields.items() if name != "mac"}
        if not hmac.compare_digest(str(fields["mac"]), self._sign(unsigned, str(fields["k"]))):
            return "has a signature that does not fit: it was changed or forged"
        if before is not None and fields["before"] != before:
            return "does not follow the anchor before it: an anchor was removed, added or moved"
        return ""

    def _sign(self, fields: dict[str, Any], key_id: str) -> str:
        key = self._keys.get(key_id)
        return hmac.new(key, _encode(fields), hashlib.sha256).hexdigest() if key else ""


def _raw(path: Path) -> Iterator[bytes]:
    if path.exists():
        with path.open("rb") as file:
            yield from file


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"id of " + key).hexdigest()[:8]


def _encode(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()


def _read(line: bytes) -> dict[str, Any]:
    """The fields of an anchor; empty when the line is none."""
    try:
        fields = json.loads(line)
        complete = {"n", "id", "h", "t", "k", "before", "mac"} <= set(fields) and isinstance(fields["n"], int)
    except (ValueError, TypeError):
        return {}
    return fields if complete else {}


def _head(fields: dict[str, Any]) -> Head:
    return Head(fields["n"], str(fields["id"]), str(fields["h"]))


def _moment(fields: dict[str, Any]) -> int:
    at = fields.get("t", 0)
    return at if isinstance(at, int) else 0
