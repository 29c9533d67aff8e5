"""The server loses everything it held: the faults after which something accepted may be lost, if it is named."""

from __future__ import annotations

import shutil
import time
from typing import Final

from tests.chaos.kit.fault import Fault
from tests.chaos.kit.losses import Span

KEPT: Final = {"url", "lock", "server.log"}  # what the way to the server needs; all else in its folder is data


class Emptied(Fault):
    """What all of them have in common. The clock is a device of the tests: it goes on as before."""

    since = 0.0

    def may_repeat(self) -> int:
        """As many as were being sent: their senders may have had no answer yet, and send again what nobody remembers."""
        return self.stage.fleet.in_flight * self.stage.shape.delivery

    def heal(self) -> None:
        """Nothing brings it back."""

    def note(self) -> None:
        """It is over."""
        self.stage.emptied.append(Span(self.since, time.time()))

    @property
    def clock(self) -> tuple[str, str]:
        fleet = self.stage.fleet
        return fleet.keys.clock, f"{sum(seconds for _, seconds in self.stage.jumps) * 1000:.0f}"


class Flushed(Emptied):
    """FLUSHALL."""

    def strike(self) -> None:
        self.since = time.time()
        with self.stage.clock_lock, self.stage.fleet.client.pipeline(transaction=True) as together:
            together.flushall()
            together.set(*self.clock)
            together.execute()
        self.note()


class DataLost(Emptied):
    """It is killed, its folder is emptied, and it is started anew: a disk that went with the machine."""

    def strike(self) -> None:
        server = self.stage.fleet.server
        self.since = time.time()
        server.kill()
        for path in server.data_dir.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in KEPT:
                path.unlink()

    def heal(self) -> None:
        server = self.stage.fleet.server
        words = (("SELECT", "0"), ("SET", *self.clock))  # in force before anybody can connect
        (server.data_dir / "appendonly.aof").write_bytes(b"".join(map(_as_sent, words)))
        server.restart()
        self.note()


def _as_sent(words: tuple[str, ...]) -> bytes:
    parts = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    return f"*{len(words)}\r\n{parts}".encode()
