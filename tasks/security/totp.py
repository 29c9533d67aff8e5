"""Time-based one-time passwords (RFC 6238) as every authenticator app makes them; pure."""

from __future__ import annotations

import hmac
import secrets
from base64 import b32encode
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

if TYPE_CHECKING:
    from datetime import datetime

STEP: Final = timedelta(seconds=30)
DIGITS: Final = 6
SKEW: Final = 1  # steps that a phone's clock may be ahead or behind
SECRET_BYTES: Final = 20  # as long as the hash: RFC 4226, 4


def new_secret() -> bytes:
    """What a person's app and Tocsin share."""
    return secrets.token_bytes(SECRET_BYTES)


def step_at(now: datetime) -> int:
    """The number of the step that a moment lies in."""
    return int(now.timestamp() // STEP.total_seconds())


def code_at(secret: bytes, step: int) -> str:
    """The code of one step."""
    return _totp(secret).generate(int(step * STEP.total_seconds())).decode()


def matching_step(secret: bytes, code: str, now: datetime) -> int | None:
    """The step whose code this is, at most one off; None if there is none. All of them are compared, whichever fits."""
    found = None
    for step in range(step_at(now) - SKEW, step_at(now) + SKEW + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode("utf-8", "replace")):
            found = step
    return found


def as_text(secret: bytes) -> str:
    """The secret as people type it into an app."""
    return b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, person: str, issuer: str) -> str:
    """What a QR code holds for an app."""
    return _totp(secret).get_provisioning_uri(person, issuer)


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), int(STEP.total_seconds()))  # noqa: S303 - what all apps know; HMAC does not need more
