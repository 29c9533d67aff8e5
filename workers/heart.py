"""Shows that a process lives: to this machine by a small file, to the fleet by a row. Both stop when its main loop does."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import unquote, urlsplit

import redis
import structlog

from tasks.tokens.guard import Guard
from tasks.utils.connect import connect
from tasks.utils.heartbeat_file import HeartbeatFile, namespace
from tasks.utils.keys import Keys
from tasks.utils.presence import Presence, Sign

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from config.models import Settings

log = structlog.get_logger("tocsin.process")

EVERY: Final = 5.0  # seconds
PATIENCE: Final = 15.0  # seconds a main loop may take for one turn


class Load(NamedTuple):
    """How many messages a worker has received so far, and whether it has its hands full."""

    received: int = 0
    is_busy: bool = False


class Heart:
    """Beats in a thread of its own for as long as the main loop calls `tick`; use as a context manager.

    `queues` is what a worker takes from and `load` says how it does; `knows` gives the ids of the encryption keys it can read
    with. While the server is away the process is alive and not ready: nothing is won by starting it anew.
    """

    def __init__(
        self,
        settings: Settings,
        role: str,
        *,
        patience: float = PATIENCE,
        queues: Sequence[str] = (),
        load: Callable[[], Load] = Load,
        knows: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        url = settings.redis.url.get_secret_value()
        self._sign = Sign(role, socket.gethostname(), os.getpid(), namespace(), version("tocsin"))
        self._client = connect(url, socket_timeout=2.0, connect_timeout=2.0)
        keys = Keys(settings.redis.prefix)
        self._presence, self._guard = Presence(self._client, keys), Guard(settings, self._client, keys)
        self._state_dir, self._server = str(settings.state_dir), server_words(url)
        self._patience, self._queues, self._load, self._knows = patience, queues, load, knows
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)
        self._file: HeartbeatFile | None = None
        self._is_mute = False
        self._alive = self._ready = time.monotonic()

    def tick(self) -> None:
        """The main loop has come by."""
        self._ready = time.monotonic()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin; what is before counts as a tick."""
        self.tick()
        self._write()  # a probe finds it from the first moment on
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye: a process that ends of its own will is not missed."""
        if self._ended.is_set():
            return
        self._ended.set()
        if self._thread.is_alive():  # beat's signal handler may come before it runs; it then ends at its first look
            self._thread.join(timeout=EVERY)
        if self._file is not None:
            self._file.remove()
        with suppress(redis.RedisError):
            self._presence.leave(self._sign)
        self._client.close()

    def _beat(self) -> None:
        while not self._ended.is_set():
            is_in_time = time.monotonic() - self._ready <= self._patience
            is_away = not self._show(is_in_time=is_in_time)
            if is_in_time or is_away:
                self._alive = time.monotonic()
            self._write()
            self._ended.wait(EVERY)

    def _show(self, *, is_in_time: bool) -> bool:
        """Show the fleet; False if the server does not answer."""
        try:
            self._guard.keep()
            if is_in_time:
                load = self._load()
                known = {"queues": self._queues, "keys": self._knows()}
                self._presence.beat(self._sign, load.received, is_busy=load.is_busy, **known)
            else:
                self._client.ping()
        except redis.RedisError:
            return False
        return True

    def _write(self) -> None:
        """A folder that cannot be written is said once, and tried again: the process works all the same."""
        try:
            if self._file is None:
                self._file = HeartbeatFile(self._state_dir, self._sign.role, self._server)
            self._file.write(self._alive, self._ready)
            self._is_mute = False
        except OSError as error:
            if not self._is_mute:
                log.warning("heartbeat_not_written", error=type(error).__name__, folder=self._state_dir)
            self._is_mute = True


def server_words(url: str) -> str:
    """Where the server is, as a probe needs it: `unix PATH`, `tcp HOST PORT` or `tls HOST PORT`; never a password."""
    parts = urlsplit(url)
    if parts.scheme in ("unix", "redis+socket", "redis+unix"):
        return f"unix {unquote(parts.path)}"
    return f"{'tls' if parts.scheme == 'rediss' else 'tcp'} {parts.hostname or 'localhost'} {parts.port or 6379}"
