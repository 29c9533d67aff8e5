"""Recovery codes: each stands in for the second factor once; kept only as hashes."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNT: Final = 10
ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that is mistaken for another
LENGTH: Final = 12  # 59 bits: guessing is hopeless, so these codes work while others are locked out
GROUP: Final = 4
COST: Final = 2**12  # a dozen milliseconds; the length of the codes does the rest
_OTHER: Final = re.compile(r"[\s-]")


class HashedCodes(NamedTuple):
    """The codes of one person that are not used up, each as scrypt's hash with one salt."""

    salt: str
    hashes: tuple[str, ...]

    @classmethod
    def of(cls, codes: Sequence[str]) -> HashedCodes:
        """What is kept of them."""
        salt = secrets.token_hex(16)
        return cls(salt, tuple(_hash(code, salt) for code in codes))

    def without(self, code: str) -> HashedCodes | None:
        """The same with this code used up; None if it is none of them."""
        hashed = _hash(code, self.salt)
        left = tuple(one for one in self.hashes if not hmac.compare_digest(one, hashed))
        return None if len(left) == len(self.hashes) else HashedCodes(self.salt, left)


def new_codes() -> list[str]:
    """Ten codes, to be shown once."""
    return [_new_code() for _ in range(COUNT)]


def _new_code() -> str:
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def _hash(code: str, salt: str) -> str:
    plain = _OTHER.sub("", code).lower().encode("utf-8", "replace")
    return hashlib.scrypt(plain, salt=bytes.fromhex(salt), n=COST, r=8, p=1, dklen=32).hex()
