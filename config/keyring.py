"""Keys that encrypt: a short public id for each, the newest for writing, all of them for reading."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

ID_BYTES: Final = 4
BY_KEY: Final = b"\x01"  # how a reference to a key begins; others may follow, such as keys made of a passphrase


class SealError(ValueError):
    """Something cannot be encrypted or decrypted; the text says why and how to mend it, and holds nothing secret."""


class Key(NamedTuple):
    """A key as it is used: what names it in a header, and the secret that everything else is derived from."""

    reference: bytes
    secret: bytes

    @property
    def id(self) -> str:
        """Its short public name."""
        return self.reference[-ID_BYTES:].hex()


class Keys(Protocol):
    """Where keys come from."""

    def newest(self) -> Key:
        """The key to encrypt with."""
        ...

    def named(self, header: bytes) -> Key:
        """The key that a header, which begins with a reference, was written with."""
        ...


class Keyring:
    """Keys of 32 bytes, the newest first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise SealError("there is no encryption key; set ENCRYPTION_KEY (`tocsin config keygen` makes one)")
        self._keys = [_key(master) for master in keys]

    @classmethod
    def of_texts(cls, keys: Sequence[str]) -> Keyring:
        """From keys as the settings have them: base64 of 32 bytes."""
        return cls([urlsafe_b64decode(text.translate(str.maketrans("+/", "-_"))) for text in keys])

    @property
    def ids(self) -> tuple[str, ...]:
        """The public names of all keys, the newest first."""
        return tuple(key.id for key in self._keys)

    def newest(self) -> Key:
        """The key to encrypt with."""
        return self._keys[0]

    def called(self, key_id: str) -> Key:
        """The key of that public name."""
        return next(key for key in self._keys if key.id == key_id)

    def named(self, header: bytes) -> Key:
        """The key that a header was written with; raises SealError where it is not among these."""
        if not header.startswith(BY_KEY):
            raise SealError("wrong key: it was encrypted with a passphrase; decrypt it with that")
        for key in self._keys:
            if header.startswith(key.reference):
                return key
        wanted = header[1 : 1 + ID_BYTES].hex()
        raise SealError(
            f"wrong key: it was encrypted with the key {wanted}, known here: {', '.join(self.ids)}; add the former "
            "key to security.previous_encryption_keys"
        )


def _key(master: bytes) -> Key:
    secret = derive(master, b"tocsin encryption")
    return Key(BY_KEY + prf(secret, b"tocsin key id")[:ID_BYTES], secret)


def derive(master: bytes, label: bytes) -> bytes:
    """HKDF-SHA256 of 32 bytes: keys with different labels say nothing of each other or of their master."""
    return prf(prf(bytes(32), master), label + b"\x01")


def prf(key: bytes, text: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, text, "sha256")
