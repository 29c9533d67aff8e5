"""Where encryption keys come from, to look there again without a restart: secret files and commands."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Final

from config.errors import ConfigError, Problem
from config.file_stamp import Stamp, stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

KEY: Final = re.compile(r"[A-Za-z0-9_+/-]{43}=")
_Stamps = tuple[Stamp | None, ...]
AGAIN: Final = 30.0  # seconds after which what could not be read is read again, its file changed or not
NO_KEY: Final = Problem(
    "the sources of the encryption keys",
    "security.encryption_key",
    "hold none, or one that is no key",
    "write 32 bytes as base64 there (`tocsin config keygen` makes them); until then those known before stay in use",
)


class KeySources:
    """`read` gives the keys as they are written down now, the newest first; `files` are the secret files they may come from.

    `began`: the one that was there when the keys were read first; what one has seen since, another has not.
    """

    def __init__(
        self, read: Callable[[], Sequence[str]], files: Iterable[Path], began: KeySources | None = None
    ) -> None:
        self._read = read
        self._files = tuple(files)
        self._first: _Stamps = began._first if began else _stamps(self._files)  # noqa: SLF001 - of its own kind
        self._process: int = began._process if began else os.getpid()  # noqa: SLF001
        self._stamps = self._first
        self._failed_at: float | None = None

    def for_another(self) -> KeySources:
        """The same for one more who looks, and who knows the keys as they were read first."""
        return KeySources(self._read, self._files, self)

    def changed(self, *, ask_anew: bool = False) -> list[str] | None:
        """The keys, the newest first, if a secret file was changed since this was asked last; None if none was.

        `ask_anew`: read them in any case, which runs the commands among their sources. ConfigError where they cannot be
        read, or one is no key: those known before stay in use. A child, which may have been forked long after they were read
        first, reads them in any case once.
        """
        ask_anew = ask_anew or self._process != os.getpid()
        self._process = os.getpid()
        stamps = _stamps(self._files)
        is_due = self._failed_at is not None and time.monotonic() - self._failed_at >= AGAIN
        if stamps == self._stamps and not ask_anew and not is_due:
            return None
        self._stamps = stamps  # of before the reading: what is changed while it goes on is seen the next time
        self._failed_at = time.monotonic()
        found = list(self._read())
        if not found or not all(KEY.fullmatch(text) for text in found):
            raise ConfigError([NO_KEY])
        self._failed_at = None
        return found


def _stamps(files: Sequence[Path]) -> _Stamps:
    return tuple(map(stamp_of, files))
