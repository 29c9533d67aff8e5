"""Where a repository lies: named blobs that are there whole or not at all. A local folder today; an object store fits the same protocol."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from tasks.utils.error_handler import PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager


class MissingBlobError(PermanentError):
    """There is no blob by that name."""


class HeldError(TransientError):
    """Somebody else works on the repository; the text says who and since when, where that is known."""


class Hold(Enum):
    """What somebody does with a repository: any number read, one writes beside them, and who deletes is alone."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob as a listing has it; `name` is a path with slashes."""

    name: str
    size: int


class Storage(Protocol):
    """Names are paths such as `packs/ab12`; no blob is ever changed but `repository.json`, which is replaced whole."""

    place: str

    def put(self, name: str, data: bytes) -> None:
        """Store a blob, replacing one of that name. Once this returns it is there for good; until then it is not there at all."""
        ...

    def get(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        """A blob or a piece of it. MissingBlobError: there is none."""
        ...

    def list(self, folder: str) -> Sequence[Blob]:
        """The blobs of a folder, by name; nothing where there is no such folder."""
        ...

    def delete(self, name: str) -> None:
        """Take a blob away; one that is not there is no error."""
        ...

    def strangers(self) -> Sequence[Blob]:
        """What lies beside the repository's own blobs and is not one."""
        ...

    def hold(self, how: Hold) -> AbstractContextManager[None]:
        """Work beside others as `how` allows. HeldError: somebody is at work whom that would disturb."""
        ...
