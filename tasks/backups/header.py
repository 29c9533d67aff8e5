"""What a repository says of itself, readable without a key: its format, its name, and its own key, wrapped in the encryption key."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from tasks.backups.codec import DamagedError
from tasks.backups.storage import MissingBlobError
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from tasks.backups.storage import Storage

FORMAT: Final = 1
NAMES: Final = ("repository.json", "repository.copy.json")  # two: without it nothing else can be read
PURPOSE: Final = "backup repository key"


class Wrapper(Protocol):
    """What encrypts the repository's key: `SecurityManager`."""

    @property
    def key_id(self) -> str:
        """The public id of the key that is encrypted with."""
        ...

    def encrypt_sensitive_data(self, data: Any, purpose: str) -> str:
        """Encrypt with the newest key."""
        ...

    def decrypt_sensitive_data(self, text: str, purpose: str) -> Any:
        """Decrypt with whichever of its keys it was."""
        ...

    def is_current(self, text: str) -> bool:
        """Whether it was encrypted with the newest key."""
        ...


class NoKeyError(PermanentError):
    """The repository is encrypted, and its key cannot be had."""


@dataclass(frozen=True, slots=True)
class Header:
    """`key_id`, `wrapped`: of the encryption key, and the repository's own key under it; both empty where it is not encrypted."""

    id: str
    created: str
    key_id: str = ""
    wrapped: str = ""

    @property
    def is_encrypted(self) -> bool:
        """Whether new snapshots are encrypted."""
        return bool(self.wrapped)


def new_header() -> Header:
    """That of a new repository without encryption."""
    return Header(secrets.token_hex(8), datetime.now(UTC).isoformat(timespec="seconds"))


def with_key(header: Header, wrapper: Wrapper, key: bytes) -> Header:
    """The header with the repository's key, wrapped anew."""
    wrapped = wrapper.encrypt_sensitive_data(base64.b64encode(key).decode(), PURPOSE)
    return replace(header, key_id=wrapper.key_id, wrapped=wrapped)


def unwrap(header: Header, wrapper: Wrapper | None) -> bytes:
    """The repository's key. NoKeyError: there is no encryption key here, or another one."""
    mend = f"set ENCRYPTION_KEY to the key {header.key_id}, or name it in security.previous_encryption_keys"
    if wrapper is None:
        raise NoKeyError(f"the backups are encrypted, and no encryption key is set: {mend}")
    try:
        return base64.b64decode(wrapper.decrypt_sensitive_data(header.wrapped, PURPOSE))
    except PermanentError as error:
        raise NoKeyError(f"the backups cannot be decrypted: {error}; {mend}") from error


def write(storage: Storage, header: Header) -> None:
    """Store it twice, one after the other, so that one of them is whole at any time."""
    for name in NAMES:
        storage.put(name, _encode(header))


def read(storage: Storage) -> Header | None:
    """The header, of whichever copy is whole; None where there is no repository. DamagedError: neither can be read."""
    found = copies(storage)
    if not found:
        return None
    whole = next((header for header in found.values() if header is not None), None)
    if whole is None:
        raise DamagedError(
            f"{' and '.join(found)} in {storage.place} are damaged: without one of them nothing can be read"
        )
    return whole


def copies(storage: Storage) -> dict[str, Header | None]:
    """The copies there are by name; None for a damaged one."""
    found: dict[str, Header | None] = {}
    for name in NAMES:
        try:
            found[name] = _decode(storage.get(name))
        except MissingBlobError:
            continue
    return found


def _encode(header: Header) -> bytes:
    body = json.dumps({"format": FORMAT, **asdict(header)}, sort_keys=True)
    return f"{body}\n{hashlib.sha256(body.encode()).hexdigest()}\n".encode()


def _decode(data: bytes) -> Header | None:
    body, _, rest = data.partition(b"\n")
    if rest != hashlib.sha256(body).hexdigest().encode() + b"\n":
        return None
    fields = json.loads(body)
    if fields.pop("format") > FORMAT:
        raise PermanentError("the repository is of a newer format: it was written by a newer Tocsin; use that one")
    return Header(**fields)
