"""Short secrets as text that may lie about: AES-256-GCM, bound to what they are for, `enc:` in front.

    enc: + base64url of
      version (1) | reference to the key | hash of the purpose (4) | salt (12) | nonce (12) | ciphertext and tag

Each text has a key of its own, derived from the salt, so that no count of texts wears a key out. The purpose is
authenticated with everything before the nonce: what was encrypted as one thing cannot be put in the place of another.
"""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from config.keyring import ID_BYTES, SealError, prf

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from config.keyring import Key, Keys

MARK: Final = "enc:"
VERSION: Final = b"\x01"
TAG_BYTES: Final = 4
SALT_BYTES: Final = 12
NONCE_BYTES: Final = 12
GCM_TAG_BYTES: Final = 16
_TEXT: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_DAMAGED: Final = "damaged: this is no whole encrypted text (`enc:…`); copy all of it"


def is_sealed(value: object) -> bool:
    """Whether a value is encrypted text, by its looks."""
    return isinstance(value, str) and value.startswith(MARK)


def seal(plain: bytes, keys: Keys, purpose: str) -> str:
    """The text that only these keys open again, for this purpose only."""
    key = keys.newest()
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    head = VERSION + key.reference + _purpose_tag(purpose) + salt
    sealed = _cipher(key, salt).encrypt(nonce, plain, head + purpose.encode())
    return MARK + urlsafe_b64encode(head + nonce + sealed).decode().rstrip("=")


def unseal(text: str, keys: Keys, purpose: str) -> bytes:
    """What was sealed; raises SealError that says whether the key, the purpose or the text is at fault."""
    raw = _decoded(text)
    key = keys.named(raw[1:])
    at = 1 + len(key.reference)
    if len(raw) < at + TAG_BYTES + SALT_BYTES + NONCE_BYTES + GCM_TAG_BYTES:
        raise SealError(_DAMAGED)
    if raw[at : at + TAG_BYTES] != _purpose_tag(purpose):
        raise SealError(f"wrong purpose: it was not encrypted as {purpose!r}; encrypt the value anew for this place")
    body = at + TAG_BYTES + SALT_BYTES
    salt, nonce = raw[at + TAG_BYTES : body], raw[body : body + NONCE_BYTES]
    return _opened(_cipher(key, salt), nonce, raw[body + NONCE_BYTES :], raw[:body] + purpose.encode())


def key_id_of(text: str) -> str:
    """The id of the key that a text was sealed with."""
    raw = _decoded(text)
    return raw[2 : 2 + ID_BYTES].hex() if raw[1:2] == b"\x01" else "passphrase"


def _decoded(text: str) -> bytes:
    inner = text.removeprefix(MARK).rstrip("=")
    if not _TEXT.fullmatch(inner) or len(inner) % 4 == 1:
        raise SealError(_DAMAGED)
    raw = urlsafe_b64decode(inner + "=" * (-len(inner) % 4))
    if not raw.startswith(VERSION):
        raise SealError(_DAMAGED)
    return raw


def _purpose_tag(purpose: str) -> bytes:
    return sha256(purpose.encode()).digest()[:TAG_BYTES]


def _cipher(key: Key, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 (30 ms, and most starts need none)

    return AESGCM(prf(key.secret, b"tocsin text" + salt))


def _opened(cipher: AESGCM, nonce: bytes, sealed: bytes, data: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        return cipher.decrypt(nonce, sealed, data)
    except InvalidTag:
        raise SealError("altered: it was changed after it was encrypted; take the original text") from None
