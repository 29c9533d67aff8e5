"""Signatures of task messages: an HMAC over everything that decides what a worker would do. Pure; knows no Celery.

A key signs for one role only. All role keys come from one secret, so that a worker, which has it, can check every role,
while a machine that was given the key of one role can sign for no other.
"""

from __future__ import annotations

import hmac
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from config.keyring import derive, prf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEADER: Final = "tocsin_signature"
VERSION: Final = 1
CHANGED_ON_THE_WAY: Final = (HEADER, "redelivered")
PROPERTIES: Final = ("correlation_id", "reply_to")
FIELDS: Final = {"v": int, "role": str, "key": str, "at": int, "nonce": str, "queue": str, "mac": str}


class RoleKey(NamedTuple):
    """What one role signs with; as text `ROLE:KEY`."""

    role: str
    key: bytes

    @property
    def id(self) -> str:
        """Its short public name."""
        return prf(self.key, b"tocsin key id")[:4].hex()

    def __str__(self) -> str:
        return f"{self.role}:{urlsafe_b64encode(self.key).decode()}"


def role_key(secret: bytes, role: str) -> RoleKey:
    """The key of a role."""
    return RoleKey(role, derive(secret, b"tocsin tasks of " + role.encode()))


def parse_role_key(text: str) -> RoleKey:
    """A role key from its text; ValueError where it is none."""
    role, _, key = text.partition(":")
    raw = urlsafe_b64decode(key)
    if not role or len(raw) != 32:
        raise ValueError("no role key")
    return RoleKey(role, raw)


class Signed(NamedTuple):
    """A message as it is signed: its headers and properties, its body as bytes, and the queue it is for."""

    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    body: bytes
    queue: str


class Signature(NamedTuple):
    """What a signature says; `at` is when it was made (ms), `nonce` names this one message."""

    v: int
    role: str
    key: str
    at: int
    nonce: str
    queue: str
    mac: str

    @classmethod
    def read(cls, headers: Mapping[str, Any]) -> Signature | None:
        """The signature among a message's headers; None where there is none, or it has another shape."""
        found = headers.get(HEADER)
        if not isinstance(found, dict) or not all(type(found.get(name)) is kind for name, kind in FIELDS.items()):
            return None
        return cls(**{name: found[name] for name in FIELDS})


def sign(message: Signed, key: RoleKey, at_ms: int) -> dict[str, Any]:
    """The header that makes a message one of this role's."""
    unsigned = Signature(VERSION, key.role, key.id, at_ms, os.urandom(12).hex(), message.queue, "")
    return unsigned._replace(mac=_mac(message, unsigned, key))._asdict()


class Verifier:
    """Checks signatures of every role made with these secrets; the newest first, former ones behind it."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = secrets
        self._keys: dict[str, list[RoleKey]] = {}

    def fault(self, message: Signed, signature: Signature) -> str:
        """Why a signature is not one of this message, in words that go on after "a message"; '' where it is."""
        if signature.v != VERSION:
            return "has a signature of a kind that is not known here"
        key = next((one for one in self._of(signature.role) if one.id == signature.key), None)
        if key is None:
            return (
                f"is signed with a key that is not known here (role {signature.role[:40]!r}, id {signature.key[:8]!r})"
            )
        if not hmac.compare_digest(signature.mac, _mac(message, signature, key)):
            return "has a signature that does not fit: it was altered or forged"
        return ""

    def _of(self, role: str) -> list[RoleKey]:
        if role not in self._keys and len(self._keys) < 100:  # whoever makes up roles must not fill memory
            self._keys[role] = [role_key(secret, role) for secret in self._secrets]
        return self._keys.get(role, [])


def _mac(message: Signed, signature: Signature, key: RoleKey) -> str:
    headers = {name: value for name, value in message.headers.items() if name not in CHANGED_ON_THE_WAY}
    properties = {name: message.properties.get(name) or "" for name in PROPERTIES}
    said = [*signature._replace(mac=""), headers, properties, sha256(message.body).hexdigest()]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), default=str)
    return prf(key.key, text.encode()).hex()
