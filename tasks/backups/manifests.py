"""Manifests: what a snapshot is. Line one is readable without a key, line two is sealed and leads to the items, line three signs both."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.codec import DamagedError

if TYPE_CHECKING:
    from tasks.backups.codec import Codec

FOLDER: Final = "snapshots"
SHORT: Final = 8
FORMAT: Final = 1
NOT_SAID: Final = ("id", "wrong", "packs")


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a source a snapshot holds."""

    items: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a manifest says in its first line. `id` is the SHA-256 of the manifest; `added`: bytes that this snapshot stored, in `packs`."""

    id: str
    created: datetime
    is_encrypted: bool
    key_id: str
    environment: str
    host: str
    version: str
    parts: dict[str, Part]
    added: int
    took_seconds: float
    note: str = ""
    wrong: str = ""
    packs: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The beginning of its id, enough for people."""
        return self.id[:SHORT]

    @property
    def items(self) -> int:
        """How many items it holds."""
        return sum(part.items for part in self.parts.values())

    @property
    def bytes(self) -> int:
        """How many bytes they are, neither compressed nor shared."""
        return sum(part.bytes for part in self.parts.values())


@dataclass(frozen=True, slots=True)
class Manifest:
    """A snapshot and its lists: source -> kind -> name of the object that leads to the list."""

    snapshot: Snapshot
    lists: dict[str, dict[str, str]] = field(default_factory=dict)


def encode(manifest: Manifest, codec: Codec) -> tuple[str, bytes]:
    """The id of a manifest, and its bytes."""
    shown = asdict(manifest.snapshot)
    for name in NOT_SAID:
        shown.pop(name)
    head = json.dumps({"format": FORMAT, **shown}, sort_keys=True, default=datetime.isoformat).encode("ascii")
    body = base64.b64encode(codec.seal("manifest", json.dumps(manifest.lists, sort_keys=True).encode("ascii")))
    signed = head + b"\n" + body + b"\n"
    data = signed + codec.sign(signed).encode() + b"\n"
    return hashlib.sha256(data).hexdigest(), data


def read_head(name: str, data: bytes) -> Snapshot:
    """What a manifest says without a key; `wrong` where its bytes are not what its name says. DamagedError: it says nothing."""
    try:
        fields = json.loads(data.partition(b"\n")[0])
        snapshot = _snapshot(name, fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DamagedError(f"{FOLDER}/{name} is damaged: it cannot be read") from None
    is_whole = hashlib.sha256(data).hexdigest() == name
    return snapshot if is_whole else replace(snapshot, wrong=f"{FOLDER}/{name} is damaged: its content is another one")


def decode(name: str, data: bytes, codec: Codec) -> Manifest:
    """The whole manifest. DamagedError: it is not as it was written, or signed by nobody who has the key."""
    snapshot = read_head(name, data)
    if snapshot.wrong:
        raise DamagedError(snapshot.wrong)
    signed, _, signature = data[:-1].rpartition(b"\n")
    if not hmac.compare_digest(codec.sign(signed + b"\n").encode(), signature):
        raise DamagedError(
            f"{FOLDER}/{name} is not signed with this repository's key: it is forged, or of another repository"
        )
    try:
        return Manifest(snapshot, json.loads(codec.unseal("manifest", base64.b64decode(signed.partition(b"\n")[2]))))
    except (binascii.Error, ValueError):
        raise DamagedError(f"{FOLDER}/{name} is damaged: its lists cannot be read") from None


def _snapshot(name: str, fields: dict[str, Any]) -> Snapshot:
    if fields.pop("format") > FORMAT:
        raise DamagedError(f"{FOLDER}/{name} is of a newer format: it was written by a newer Tocsin; use that one")
    parts = {source: Part(**part) for source, part in fields.pop("parts").items()}
    created = datetime.fromisoformat(fields.pop("created"))
    return Snapshot(id=name, created=created, parts=parts, **fields)
