"""What processes tell one another of the access tokens they have: since when, until when, what went wrong. Never a token."""

from __future__ import annotations

import atexit
import os
import secrets
import socket
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

import redis
from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.utils.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.utils.keys import Keys

ASKED: Final = "asked"  # the one field that is no process: when fresh tokens were asked for, ms
FORGOTTEN_MS: Final = 3_600_000  # after the end of a token whose process has not said that it ended


class TokenState(BaseModel):
    """What one process says of its token, of which a script may have several; times in ms, 0: never."""

    model_config = ConfigDict(frozen=True)

    process: str
    app: str
    scopes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    fetched: int = 0
    ends: int = 0
    error: str = ""  # the last one
    failed: int = 0

    @property
    def fails(self) -> bool:
        """Whether the last attempt to have one failed."""
        return self.failed > self.fetched


class Board(Protocol):
    """Where a process tells of its token."""

    def is_outdated(self) -> bool:
        """Whether fresh tokens were asked for since ours was fetched."""
        ...

    def fetched(self, scopes: Sequence[str], missing: Sequence[str], life: float) -> None:
        """We have a new one, which lasts so many seconds."""
        ...

    def failed(self, error: str) -> None:
        """There was none to be had."""
        ...

    def close(self) -> None:
        """We need none any more."""
        ...


class NoBoard:
    """For who tells nobody."""

    def is_outdated(self) -> bool:
        """Never."""
        return False

    def fetched(self, scopes: Sequence[str], missing: Sequence[str], life: float) -> None:
        """Tell nobody."""

    def failed(self, error: str) -> None:
        """Tell nobody."""

    def close(self) -> None:
        """There is nothing to take back."""


class TokenBoard:
    """The board in Redis. While that is away nothing is told and nobody is asked: calls go on with the token there is."""

    def __init__(self, client: Any, keys: Keys, app: str) -> None:
        self._client = client
        self._key = keys.oauth_tokens
        self._clock = Clock(client, keys)
        self._state = TokenState(process=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}", app=app)

    def is_outdated(self) -> bool:
        """Whether fresh tokens were asked for since ours was fetched."""
        try:
            return int(self._client.hget(self._key, ASKED) or 0) > self._state.fetched > 0
        except redis.RedisError:
            return False

    def fetched(self, scopes: Sequence[str], missing: Sequence[str], life: float) -> None:
        """We have a new one, which lasts so many seconds."""
        now = self._now()
        if not self._state.fetched:
            atexit.register(self.close)
        ends = now + round(life * 1000)
        self._tell({"scopes": tuple(scopes), "missing": tuple(missing), "fetched": now, "ends": ends})

    def failed(self, error: str) -> None:
        """There was none to be had."""
        self._tell({"error": error, "failed": self._now()})

    def close(self) -> None:
        """We need none any more."""
        atexit.unregister(self.close)
        try:
            self._client.hdel(self._key, self._state.process)
        except redis.RedisError:
            return  # it is forgotten some time after its end

    def ask(self) -> int:
        """Ask every process for a fresh token before its next call; when that was (ms)."""
        now = self._clock.now_ms()
        self._client.hset(self._key, ASKED, now)
        return now

    def all(self) -> list[TokenState]:
        """What the processes say, those whose tokens end first before the others; what is long over is forgotten."""
        now = self._clock.now_ms()
        told = {name: _parsed(text) for name, text in self._client.hgetall(self._key).items() if name != ASKED}
        if gone := [name for name, one in told.items() if now > max(one.ends, one.failed) + FORGOTTEN_MS]:
            self._client.hdel(self._key, *gone)
        return sorted((one for name, one in told.items() if name not in gone), key=lambda one: one.ends)

    def _now(self) -> int:
        try:
            return self._clock.now_ms()
        except redis.RedisError:
            return round(time.time() * 1000)

    def _tell(self, changes: Mapping[str, Any]) -> None:
        self._state = self._state.model_copy(update=changes)
        try:
            self._client.hset(self._key, self._state.process, self._state.model_dump_json())
        except redis.RedisError:
            return  # it is told with the next one


def _parsed(text: str) -> TokenState:
    try:
        return TokenState.model_validate_json(text)
    except ValidationError:  # of another version
        return TokenState(process="", app="")
