"""Encryption for data at rest: AES-256-GCM with several keys alive, each text and file bound to what it is for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Self

from config.keyring import Keyring, prf
from config.sealing import is_sealed, key_id_of, seal, unseal
from tasks.utils import encryption_stream as streams
from tasks.utils.encryption_errors import EncryptionError, translated
from tasks.utils.encryption_passphrase import Cost, Passphrase

if TYPE_CHECKING:
    from config.keyring import Keys

__all__ = ["Cost", "EncryptionError", "SecurityManager", "is_encrypted"]

DATA: Final = "data"  # the purpose of what names none


class SecurityManager:
    """Encrypts with the newest key and decrypts with any of them.

    `keys`: base64 of 32 bytes each, the newest first; without, those of the settings (ENCRYPTION_KEY first). A
    purpose says what something is (`"backups"`): what was encrypted as one thing is never taken for another.
    """

    def __init__(self, keys: Sequence[str] | Keys | None = None) -> None:
        with translated():
            self._keys = _keys_of(_configured() if keys is None else keys)

    @classmethod
    def of_passphrase(cls, passphrase: str, cost: Cost = Cost()) -> Self:  # noqa: B008 (a frozen value)
        """One whose key is made of a passphrase (scrypt); its salt and cost stand in what it encrypts."""
        with translated():
            return cls(Passphrase(passphrase, cost))

    @property
    def key_id(self) -> str:
        """The public id of the key that is encrypted with."""
        return self._keys.newest().id

    def encrypt_sensitive_data(self, data: Any, purpose: str = DATA) -> str:
        """A text (`enc:…`) from which `decrypt_sensitive_data` makes the same text, number, list or object."""
        try:
            plain = json.dumps(data, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            raise EncryptionError(
                "cannot be encrypted: it is not text, number, list or object as JSON has them"
            ) from None
        return seal(plain, self._keys, purpose)

    def decrypt_sensitive_data(self, text: str, purpose: str = DATA) -> Any:
        """What was encrypted; raises EncryptionError that says whether the key, the purpose or the text is at fault."""
        with translated():
            return json.loads(unseal(text, self._keys, purpose))

    def fingerprint(self, data: Any, purpose: str = DATA) -> str:
        """A digest by which equal values are known as such without being readable or guessable; another key, another digest."""
        text = json.dumps([purpose, data], sort_keys=True, default=str).encode()
        return prf(self._keys.newest().secret, b"tocsin fingerprint" + text).hex()[:32]

    def encrypt_stream(self, source: streams.Source, target: streams.Target, purpose: str | bytes = DATA) -> int:
        """Encrypt a binary file of any size into another, in chunks; the number of bytes read."""
        return streams.encrypt_stream(source, target, self._keys, _bytes(purpose))

    def decrypt_stream(self, source: streams.Source, target: streams.Target, purpose: str | bytes = DATA) -> int:
        """Decrypt a binary file into another; the number of bytes written.

        Raises EncryptionError where the key or purpose is wrong, or chunks are missing, altered, out of order or
        there twice; what the target holds by then is authentic but not whole: throw it away.
        """
        return streams.decrypt_stream(source, target, self._keys, _bytes(purpose))

    def renew_stream(self, source: streams.Source, target: streams.Target, purpose: str, new_purpose: str) -> int:
        """Decrypt a binary file and encrypt it anew with the newest key; nothing of it is written anywhere readable meanwhile."""
        plain = streams.Pieces(streams.decrypted(source, self._keys, _bytes(purpose)))
        return streams.encrypt_stream(plain, target, self._keys, _bytes(new_purpose))

    def is_current(self, text: str) -> bool:
        """Whether a text was encrypted with the newest key, so that a former one is not needed for it."""
        with translated():
            return key_id_of(text) == self.key_id


def is_encrypted(value: object) -> bool:
    """Whether a value is a text that `encrypt_sensitive_data` made, by its looks."""
    return is_sealed(value)


def _keys_of(keys: Sequence[str] | Keys) -> Keys:
    return Keyring.of_texts(keys) if isinstance(keys, Sequence) else keys


def _configured() -> list[str]:
    from config.settings import load  # noqa: PLC0415 - only scripts without wiring read settings here

    settings = load()
    settings.require_encryption_key()
    return settings.security.key_texts


def _bytes(purpose: str | bytes) -> bytes:
    return purpose.encode() if isinstance(purpose, str) else purpose
