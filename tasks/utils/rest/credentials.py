"""What proves to PagerDuty who asks."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Protocol

import structlog

from config.errors import ConfigError
from config.file_stamp import stamp_of
from tasks.utils.error_handler import PermanentError
from tasks.utils.rest.key_board import NoKeyBoard

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.file_stamp import Stamp
    from tasks.utils.rest.key_board import KeyBoard

log = structlog.get_logger("tocsin.rest")

NO_KEY = "no REST API key is set; set PAGERDUTY_API_KEY, or pagerduty.oauth for an app's client id and secret"


class Credentials(Protocol):
    """Gives the header of a request. `limit` names whose calls are counted together, without saying any secret."""

    @property
    def limit(self) -> str:
        """The limit's name."""
        ...

    def header(self) -> str:
        """The value of `Authorization`."""
        ...

    def renew(self, refused: str) -> bool:
        """After a 401 for the header `refused`: whether there is another one now."""
        ...

    def close(self) -> None:
        """Close what connections it has."""
        ...


class KeyCredentials:
    """A REST API key, read anew by `read` when its file has changed, or PagerDuty refuses it.

    A new key that is refused does not count while the former one is taken: somebody may have mistyped it.
    """

    def __init__(self, read: Callable[[], str | None], file: Path | None = None, board: KeyBoard | None = None) -> None:
        self._read = read
        self._file = file
        self._board = board or NoKeyBoard()
        self._lock = threading.RLock()
        self._key = read()
        # The file is read with the first call: it may have changed since the process began.
        self._stamp: Stamp | None = None
        self.former: str | None = None
        """The key before, in this process's memory only, until PagerDuty refuses it."""

    @property
    def limit(self) -> str:
        """One limit for each key."""
        return limit_name(self._given())

    def header(self) -> str:
        """The value of `Authorization`. Raises PermanentError where no key is set."""
        with self._lock:
            if (stamp := self._written()) != self._stamp and self._take_up():
                self._stamp = stamp
            return f"Token token={self._given()}"

    def renew(self, refused: str) -> bool:
        """Whether there is another key than the one in `refused`: it reads differently by now, or the former one is left."""
        with self._lock:
            if self.header() == refused:
                self._take_up()
            if self.header() == refused:
                return self._turn_back()
            if self.former and f"Token token={self.former}" == refused:
                self.forget()
            return True

    def forget(self) -> None:
        """PagerDuty refuses the former key: there is nothing to be known of it, nor to be deleted."""
        with self._lock:
            if self.former:
                self._board.forget(self.former)
            self.former = None

    def _turn_back(self) -> bool:
        """To the former key, as long as there is one; whether there is."""
        if self.former is None:
            return False
        log.warning("rest_key_refused", detail="the key in the file is refused; the former one is used meanwhile")
        self._board.forget(self.former)
        self._key, self.former = self.former, None
        return True

    def close(self) -> None:
        """It has none."""

    def _take_up(self) -> bool:
        """Read the key; whether that could be done: a file that is just being written is read again with the next call."""
        try:
            new = self._read()
        except ConfigError as error:
            log.warning("rest_key_not_read", error=str(error))
            return False
        if new and new != self._key:
            if self._key:
                self._board.replaced(self._key, new)
            self._key, self.former = new, self._key
        return True

    def _written(self) -> Stamp | None:
        return stamp_of(self._file) if self._file else None

    def _given(self) -> str:
        if not self._key:
            raise PermanentError(NO_KEY)
        return self._key


def limit_name(identity: str) -> str:
    """The limit's name: it tells identities apart and does not tell them."""
    return f"rest:{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
