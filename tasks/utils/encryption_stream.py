"""Files of any size, encrypted in chunks: what comes out is authentic chunk by chunk, and whole, or an error says why not.

    header   "TOCSINE1" | size of the rest (2) | reference to the key | salt (16) | nonce prefix (7) | chunk size (4) | purpose
    chunk    counter (31 bits) and, on top, whether it is the last (1 bit) | ciphertext | tag (16)

The nonce is prefix, counter and last flag; the header is authenticated with each chunk. A file has a key of its own,
derived from the salt. The counter is written out only so that an error can say what happened to the order.
"""

from __future__ import annotations

import os
import struct
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.keyring import BY_KEY, ID_BYTES, Key, Keys, prf
from tasks.utils.encryption_errors import EncryptionError, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC: Final = b"TOCSINE1"
CHUNK_BYTES: Final = 64 * 1024
LARGEST_CHUNK: Final = 16 * 1024 * 1024  # a forged header must not make the reader take all memory
SALT_BYTES: Final = 16
PREFIX_BYTES: Final = 7
GCM_TAG_BYTES: Final = 16
LAST: Final = 1 << 31
_LENGTH: Final = struct.Struct(">H")
_FRAME: Final = struct.Struct(">I")
_NO_STREAM: Final = "damaged: this is no file that Tocsin encrypted, or its beginning is missing; take the whole file"
_BROKEN_HEADER: Final = "damaged: the header of the encrypted file cannot be read; take another copy of it"


class Source(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, none at the end."""
        ...


class Target(Protocol):
    """Where bytes are written."""

    def write(self, data: bytes, /) -> object:
        """Take all of them."""
        ...


class Header(NamedTuple):
    """What the beginning of an encrypted file says, not yet authenticated."""

    raw: bytes
    key: Key
    salt: bytes
    prefix: bytes
    chunk_bytes: int
    purpose: bytes


class _Cipher:
    """Encrypts and decrypts the chunks of one file."""

    def __init__(self, header: Header) -> None:
        self._cipher = AESGCM(prf(header.key.secret, b"tocsin stream" + header.salt))
        self._bound = sha256(header.raw).digest()
        self._prefix = header.prefix

    def seal(self, word: int, chunk: bytes) -> bytes:
        return self._cipher.encrypt(self._nonce(word), chunk, self._bound)

    def open(self, word: int, sealed: bytes | memoryview) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(word), sealed, self._bound)
        except InvalidTag:
            where = f"chunk {word & ~LAST}" + (" or the header" if word & ~LAST == 0 else "")
            raise EncryptionError(
                f"altered: {where} of the encrypted file was changed; take another copy of it"
            ) from None

    def _nonce(self, word: int) -> bytes:
        return self._prefix + _FRAME.pack(word & ~LAST) + (b"\x01" if word & LAST else b"\x00")


def encrypt_stream(source: Source, target: Target, keys: Keys, purpose: bytes) -> int:
    """Encrypt all of `source`; the number of bytes it held. Memory does not grow with it."""
    header = _new_header(keys.newest(), purpose)
    target.write(header.raw)
    cipher, total = _Cipher(header), 0
    for counter, (chunk, is_last) in enumerate(_chunks(source)):
        word = counter | (LAST if is_last else 0)
        target.write(_FRAME.pack(word))
        target.write(cipher.seal(word, chunk))
        total += len(chunk)
    return total


def decrypt_stream(source: Source, target: Target, keys: Keys, purpose: bytes) -> int:
    """Decrypt all of `source`; the number of bytes written. On an error, what was written is authentic but not whole."""
    total = 0
    for chunk in decrypted(source, keys, purpose):
        target.write(chunk)
        total += len(chunk)
    return total


def decrypted(source: Source, keys: Keys, purpose: bytes) -> Iterator[bytes]:
    """The same piece by piece."""
    header = read_header(source, keys)
    if header.purpose != purpose:
        raise EncryptionError(
            f"wrong purpose: the file was encrypted as {header.purpose.decode('utf-8', 'replace')!r}, "
            f"not as {purpose.decode('utf-8', 'replace')!r}; name the right file"
        )
    yield from _opened(source, header)


class Pieces:
    """A source of pieces that come one after the other."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, none at the end."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._left = piece
        data, self._left = self._left[:size], self._left[size:]
        return data


def read_header(source: Source, keys: Keys) -> Header:
    """The header at the beginning of an encrypted file, and the key it names; the chunks follow."""
    start = _read_fully(source, len(MAGIC) + _LENGTH.size)
    if not start.startswith(MAGIC) or len(start) < len(MAGIC) + _LENGTH.size:
        raise EncryptionError(_NO_STREAM)
    (size,) = _LENGTH.unpack(start[len(MAGIC) :])
    rest = _read_fully(source, size)
    if len(rest) < size:
        raise EncryptionError("truncated: the file ends within its header; take the whole file")
    with translated():
        key = keys.named(rest)
    return _parsed(start + rest, rest, key)


def key_id_of_file(source: Source) -> str:
    """The public id of the key that a file was encrypted with, by its beginning; empty where it is none of Tocsin's."""
    start = _read_fully(source, len(MAGIC) + _LENGTH.size + 1 + ID_BYTES)
    reference = start[len(MAGIC) + _LENGTH.size :]
    return reference[1:].hex() if start.startswith(MAGIC) and reference[:1] == BY_KEY else ""


def _parsed(raw: bytes, rest: bytes, key: Key) -> Header:
    fixed = struct.Struct(f">{SALT_BYTES}s{PREFIX_BYTES}sI")
    at = len(key.reference)
    if len(rest) < at + fixed.size:
        raise EncryptionError(_BROKEN_HEADER)
    salt, prefix, chunk_bytes = fixed.unpack_from(rest, at)
    if not 0 < chunk_bytes <= LARGEST_CHUNK:
        raise EncryptionError(_BROKEN_HEADER)
    return Header(raw, key, salt, prefix, chunk_bytes, rest[at + fixed.size :])


def _new_header(key: Key, purpose: bytes) -> Header:
    salt, prefix = os.urandom(SALT_BYTES), os.urandom(PREFIX_BYTES)
    rest = key.reference + salt + prefix + _FRAME.pack(CHUNK_BYTES) + purpose
    return Header(MAGIC + _LENGTH.pack(len(rest)) + rest, key, salt, prefix, CHUNK_BYTES, purpose)


def _chunks(source: Source) -> Iterator[tuple[bytes, bool]]:
    """The chunks of a file, and of each whether it is the last: that is known once the next one is empty."""
    chunk = _read_fully(source, CHUNK_BYTES)
    while True:
        following = _read_fully(source, CHUNK_BYTES) if len(chunk) == CHUNK_BYTES else b""
        yield chunk, not following
        if not following:
            return
        chunk = following


def _opened(source: Source, header: Header) -> Iterator[bytes]:
    cipher, expected = _Cipher(header), 0
    while True:
        frame = _read_fully(source, _FRAME.size + header.chunk_bytes + GCM_TAG_BYTES)
        if len(frame) < _FRAME.size + GCM_TAG_BYTES:
            raise EncryptionError(
                f"truncated: the encrypted file ends before its chunk {expected}; take the whole file"
            )
        (word,) = _FRAME.unpack_from(frame)
        whole = len(frame) == _FRAME.size + header.chunk_bytes + GCM_TAG_BYTES
        if not whole and not word & LAST:
            raise EncryptionError(
                f"truncated: the encrypted file ends within its chunk {expected}; take the whole file"
            )
        chunk = cipher.open(word, memoryview(frame)[_FRAME.size :])
        _check_order(word & ~LAST, expected)
        yield chunk
        if word & LAST:
            break
        expected += 1
    if source.read(1):
        raise EncryptionError(
            "altered: something follows the last chunk of the encrypted file; take another copy of it"
        )


def _check_order(found: int, expected: int) -> None:
    if found < expected:
        raise EncryptionError(
            f"duplicated: chunk {found} stands again where chunk {expected} belongs; take another copy"
        )
    if found > expected:
        raise EncryptionError(
            f"out of order: chunk {found} stands where chunk {expected} belongs: chunks were swapped or are missing; "
            "take another copy"
        )


def _read_fully(source: Source, size: int) -> bytes:
    """So many bytes, fewer only at the end: pipes give what they have."""
    data = source.read(size)
    if len(data) == size or not data:
        return data
    parts, missing = [data], size - len(data)
    while missing and (more := source.read(missing)):
        parts.append(more)
        missing -= len(more)
    return b"".join(parts)
