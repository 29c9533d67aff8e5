"""What every kind of key can do; how it is done is the kind's own business."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tasks.utils.error_handler import PermanentError, TransientError

if TYPE_CHECKING:
    from tasks.tokens.rotation.models import Rotation


class CannotRotateError(PermanentError):
    """This key cannot be replaced by Tocsin; the text says why, and what a person can do."""


class NotProvenError(TransientError):
    """The new key does not work yet; nothing has been switched."""


@dataclass(frozen=True)
class Found:
    """A key as the settings have it: its value, and where it is used, in words."""

    id: str
    value: str = field(repr=False)
    where: tuple[str, ...] = ()
    url: str = ""  # where it is used at


@dataclass(frozen=True)
class Made:
    """A new value, and what it belongs to at the other side."""

    value: str = field(repr=False)
    made: str = ""
    former: str = ""
    owner: str = ""


class Turner(Protocol):
    """One kind of key. Every verb may be called again after a crash in the middle of it, and does no more than one call would."""

    def make(self, old: Found, rotation: Rotation) -> Made:
        """A new value; the one of this rotation, if it was made before."""
        ...

    def prove(self, new: Found, rotation: Rotation) -> None:
        """Return if the new value works; NotProvenError if not."""
        ...

    def needed(self, rotation: Rotation) -> str:
        """Why the former value is still needed, in words; '' where it is not."""
        ...

    def remove(self, rotation: Rotation) -> None:
        """Delete what the former value belongs to at the other side."""
        ...
