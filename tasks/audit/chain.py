"""The chain: each entry's hash covers its own line and the hash before it, so no line can change, come or go unseen."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final, NamedTuple

from tasks.utils.ledger import BEFORE_ALL, Entry

GENESIS: Final = "0" * 64
_ID: Final = re.compile(r"[0-9]+-[0-9]+")
_SEAL_START: Final = b',"h":"'
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode  # made once: a million lines feel the difference
_decode: Final = json.JSONDecoder().raw_decode
_SEAL_LENGTH: Final = len(_SEAL_START) + 64 + 2  # ,"h":"<64 digits>"}


class Head(NamedTuple):
    """The end of a chain: how many entries, the stream id of the last one, its hash."""

    number: int
    id: str
    hash: str


START: Final = Head(0, BEFORE_ALL, GENESIS)


class Line(NamedTuple):
    """One archived line, taken apart: what its hash covers, the hash it claims, what it says."""

    body: bytes
    hash: str
    number: int
    entry: Entry


def body_of(number: int, entry: Entry) -> bytes:
    """The canonical form of an entry: a JSON object in one line, in ASCII, fields in this order, no spaces."""
    entry_id, at, event, step, reason, detail = entry
    fields = {"n": number, "id": entry_id, "t": at, "e": event, "s": step, "r": reason, "d": detail}
    return _encode(fields).encode()


def link(previous: str, body: bytes) -> str:
    """The hash of an entry: SHA-256 of the hash before it (64 digits) and its canonical form."""
    return hashlib.sha256(previous.encode() + body).hexdigest()


def extend(head: Head, entry: Entry) -> tuple[Head, bytes]:
    """The chain's new end, and the line to archive (newline included)."""
    body = body_of(head.number + 1, entry)
    digest = link(head.hash, body)
    return Head(head.number + 1, entry.id, digest), body[:-1] + _SEAL_START + digest.encode() + b'"}\n'


def take_apart(line: bytes) -> Line:
    """An archived line (without its newline) in its parts. Raises ValueError when it is none."""
    cut = len(line) - _SEAL_LENGTH
    if cut < 0 or not line.startswith(_SEAL_START, cut) or not line.endswith(b'"}'):
        raise ValueError("does not end in a hash")
    body = line[:cut] + b"}"
    text = body.decode("ascii")
    fields, end = _decode(text)
    if end != len(text):
        raise ValueError("holds more than one entry")
    try:
        if not _ID.fullmatch(fields["id"]):
            raise ValueError("names no entry of a stream")
        entry = Entry(fields["id"], int(fields["t"]), fields["e"], fields["s"], fields["r"], fields["d"])
        return Line(body, line[cut + len(_SEAL_START) : -2].decode("ascii"), int(fields["n"]), entry)
    except (KeyError, TypeError) as error:
        raise ValueError("is no ledger entry") from error
