"""What proves to PagerDuty who asks."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Protocol

from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """A REST API key, read anew by `read` when PagerDuty refuses it: somebody may have changed it in its file."""

    def __init__(self, read: Callable[[], str | None]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._key = read()

    @property
    def limit(self) -> str:
        """One limit for each key."""
        return limit_name(self._given())

    def header(self) -> str:
        """The value of `Authorization`. Raises PermanentError where no key is set."""
        return f"Token token={self._given()}"

    def renew(self, refused: str) -> bool:
        """Whether the key reads differently from the one in `refused`."""
        with self._lock:
            self._key = self._read() or self._key
        return self.header() != refused

    def close(self) -> None:
        """It has none."""

    def _given(self) -> str:
        if not self._key:
            raise PermanentError(NO_KEY)
        return self._key


def limit_name(identity: str) -> str:
    """The limit's name: it tells identities apart and does not tell them."""
    return f"rest:{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
