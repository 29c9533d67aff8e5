"""Whose event it is: ingest keys, known by their hashes alone."""

import base64
import binascii
import hashlib
from collections.abc import Mapping

from config.services import Service


class Keyring:
    """Finds the service an ingest key belongs to.

    Keys are looked up by SHA-256, so the time of a look-up tells nothing about how much of a guess was right, and
    no key lies in this object for a traceback to show.
    """

    def __init__(self, services: Mapping[str, Service]) -> None:
        self._services = {
            _digest(key.get_secret_value()): service.name
            for service in services.values()
            for key in service.ingest_keys
        }
        self._used: set[bytes] = set()

    def service_of(self, key: str) -> str | None:
        """The name of the service that takes events under `key`; None if there is none."""
        digest = _digest(key)
        service = self._services.get(digest)
        if service is not None:
            self._used.add(digest)
        return service

    def used(self) -> list[str]:
        """The ids of the keys that were used since this was asked last."""
        used, self._used = self._used, set()
        return [digest.hex()[:12] for digest in used]


def key_in_header(authorization: str | None) -> str | None:
    """The ingest key in an Authorization header: a Bearer token, or the password of Basic; None if there is none."""
    scheme, _, value = (authorization or "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip() or None
        case "basic":
            return _password(value.strip())
        case _:
            return None


def _password(encoded: str) -> str | None:
    try:
        user_and_password = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return user_and_password.partition(":")[2] or None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
