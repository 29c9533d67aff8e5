"""How objects are named and written: under keys, so that neither name nor content betrays anything; or plainly where there is no key."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tasks.utils.error_handler import PermanentError
from tasks.utils.zstd import NotCompressedError, compress, decompress

NONCE: Final = 12
CHECKSUM: Final = 32
MOST: Final = 1 << 26  # bytes of one object: more is damage


class DamagedError(PermanentError):
    """Something of the repository is not as it was written."""


class Codec(Protocol):
    """One way to write. `mark` stands in front of every pack of such objects."""

    mark: bytes

    def identify(self, data: bytes) -> str:
        """The name of an object with this content: 64 hexadecimal digits, the same for the same content."""
        ...

    def seal(self, label: str, data: bytes) -> bytes:
        """The data as it is stored, bound to what it is called."""
        ...

    def unseal(self, label: str, stored: bytes) -> bytes:
        """What was sealed under that label. DamagedError: it is not as it was written."""
        ...

    def sign(self, data: bytes) -> str:
        """A signature, in hexadecimal digits."""
        ...


class Plain:
    """Compressed, not encrypted; a signature is only a checksum."""

    mark = b"p"

    def identify(self, data: bytes) -> str:
        """The SHA-256 of the content."""
        return hashlib.sha256(data).hexdigest()

    def seal(self, label: str, data: bytes) -> bytes:
        """A checksum, and the data compressed."""
        return hashlib.sha256(label.encode() + data).digest() + compress(data)

    def unseal(self, label: str, stored: bytes) -> bytes:
        """Decompressed, if the checksum fits."""
        data = _decompressed(label, stored[CHECKSUM:])
        if hashlib.sha256(label.encode() + data).digest() != stored[:CHECKSUM]:
            raise DamagedError(f"{label} is damaged")
        return data

    def sign(self, data: bytes) -> str:
        """The SHA-256: it shows damage, not forgery."""
        return hashlib.sha256(data).hexdigest()


class Sealed:
    """Compressed, then encrypted (AES-256-GCM); names are HMACs, so that nobody can ask whether a known text is in there."""

    mark = b"s"

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(_derive(key, b"objects"))
        self._names = _derive(key, b"names")
        self._signatures = _derive(key, b"manifests")

    def identify(self, data: bytes) -> str:
        """A keyed hash of the content."""
        return hmac.digest(self._names, data, "sha256").hex()

    def seal(self, label: str, data: bytes) -> bytes:
        """Nonce, ciphertext and tag."""
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, compress(data), label.encode())

    def unseal(self, label: str, stored: bytes) -> bytes:
        """Decrypted and decompressed, if it was sealed with this key under this label."""
        try:
            return _decompressed(label, self._cipher.decrypt(stored[:NONCE], stored[NONCE:], label.encode()))
        except (InvalidTag, ValueError):
            raise DamagedError(f"{label} is damaged") from None

    def sign(self, data: bytes) -> str:
        """An HMAC: whoever has no key can neither change nor make up a manifest."""
        return hmac.digest(self._signatures, data, "sha256").hex()


def unseal_object(codec: Codec, name: str, stored: bytes) -> bytes:
    """The content of an object. DamagedError: it is not what its name says."""
    data = codec.unseal(name, stored)
    if not hmac.compare_digest(codec.identify(data), name):
        raise DamagedError(f"{name} is damaged: its content is another one")
    return data


def _derive(key: bytes, label: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"tocsin backup " + label).derive(key)


def _decompressed(label: str, packed: bytes) -> bytes:
    try:
        return decompress(packed, MOST)
    except NotCompressedError:
        raise DamagedError(f"{label} is damaged") from None
