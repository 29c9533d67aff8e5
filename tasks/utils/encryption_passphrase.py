"""Keys made of a passphrase by scrypt, whose cost and salt stand in the header of what they encrypted."""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from typing import Final, NamedTuple

from config.keyring import BY_KEY, ID_BYTES, Key, SealError, prf

BY_PASSPHRASE: Final = b"\x02"
SALT_BYTES: Final = 16
MOST_MEMORY: Final = 1 << 30  # what a header may ask for: a forged one must not exhaust the machine
SHORTEST: Final = 12
_HEADER: Final = struct.Struct(f">cBBB{SALT_BYTES}s{ID_BYTES}s")


class Cost(NamedTuple):
    """What one guess costs: 128 · r · 2^log_n bytes of memory, p times. The default: 128 MB, a third of a second."""

    log_n: int = 17
    r: int = 8
    p: int = 1

    @property
    def memory(self) -> int:
        """How many bytes one derivation needs."""
        return int(128 * self.r * 2**self.log_n)


class Passphrase:
    """Keys of one passphrase: for writing with a salt of its own, for reading with the salt that the header has."""

    def __init__(self, passphrase: str, cost: Cost = Cost()) -> None:  # noqa: B008 (a frozen value)
        if len(passphrase) < SHORTEST:
            raise SealError(
                f"the passphrase is too short; take {SHORTEST} characters at least, better six random words"
            )
        self._passphrase = passphrase.encode()
        self._cost = cost
        self._made: dict[tuple[Cost, bytes], bytes] = {}
        self._newest: Key | None = None

    def newest(self) -> Key:
        """The key to encrypt with, made once."""
        if self._newest is None:
            salt = os.urandom(SALT_BYTES)
            secret = self._secret(self._cost, salt)
            self._newest = Key(_HEADER.pack(BY_PASSPHRASE, *self._cost, salt, _id(secret)), secret)
        return self._newest

    def named(self, header: bytes) -> Key:
        """The key that a header asks for; raises SealError where the passphrase is another one."""
        if header.startswith(BY_KEY):
            key_id = header[1 : 1 + ID_BYTES].hex()
            raise SealError(
                f"wrong key: it was encrypted with the key {key_id}, not with a passphrase; decrypt it with that key"
            )
        if not header.startswith(BY_PASSPHRASE) or len(header) < _HEADER.size:
            raise SealError("damaged: its header cannot be read; take another copy")
        _, log_n, r, p, salt, key_id = _HEADER.unpack_from(header)
        secret = self._secret(_bounded(Cost(log_n, r, p)), salt)
        if not hmac.compare_digest(_id(secret), key_id):
            raise SealError("wrong key: it was encrypted with another passphrase; try that one")
        return Key(header[: _HEADER.size], secret)

    def _secret(self, cost: Cost, salt: bytes) -> bytes:
        if (cost, salt) not in self._made:
            n, most = 2**cost.log_n, cost.memory + (1 << 20)
            made = hashlib.scrypt(self._passphrase, salt=salt, n=n, r=cost.r, p=cost.p, maxmem=most, dklen=32)
            self._made[cost, salt] = made
        return self._made[cost, salt]


def _bounded(cost: Cost) -> Cost:
    if not 1 <= cost.log_n <= 30 or cost.r < 1 or not 1 <= cost.p <= 16 or cost.memory > MOST_MEMORY:
        raise SealError("damaged: its header asks for more memory than any of ours does; take another copy")
    return cost


def _id(secret: bytes) -> bytes:
    return prf(secret, b"tocsin key id")[:ID_BYTES]
