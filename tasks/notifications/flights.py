"""Sends under way: a drain has several in the air and waits for them in the time of one."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tasks.notifications.channels.protocol import AsyncChannel
from tasks.utils.event_loop import EventLoop
from tasks.utils.rows import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.notifications.channels.protocol import Channel, Message
    from tasks.utils.rows import Attempt

SETTLE: Final = 0.005  # seconds: what lands within it is recorded in one go
LOOK_UP: Final = 0.1  # seconds after which a drain looks for new work although nothing has landed
STILL: Final = 2.0  # seconds without a look: this process was stopped, or starved
TOO_LATE: Final = Outcome("retry", "lease_too_short")


@dataclass(frozen=True)
class Flight:
    """One attempt on its way out. It must not start after `last_start` (monotonic)."""

    attempt: Attempt
    destination: str
    channel: Channel
    message: Message
    last_start: float

    async def fly(self, threads: ThreadPoolExecutor) -> Outcome:
        """Send once; channels that know no event loop do so on a thread."""
        if not isinstance(self.channel, AsyncChannel):
            return await asyncio.get_running_loop().run_in_executor(threads, self._send, self.channel)
        return TOO_LATE if self._is_late() else await self.channel.asend(self.message)

    def _send(self, channel: Channel) -> Outcome:
        return TOO_LATE if self._is_late() else channel.send(self.message)

    def _is_late(self) -> bool:
        return time.monotonic() > self.last_start


class Airspace:
    """Where the flights of one process are: no more than `most` at once, whoever sends them."""

    def __init__(self, most: int) -> None:
        self.loop = EventLoop()
        self.threads = ThreadPoolExecutor(most, "send")
        self._free = most
        self._changing = threading.Lock()

    def take(self, wanted: int) -> int:
        """As many of the wanted places as are free; they must be given back."""
        with self._changing:
            taken = min(wanted, self._free)
            self._free -= taken
        return taken

    def give(self, places: int) -> None:
        """Give places back."""
        with self._changing:
            self._free += places

    def close(self) -> None:
        """End the threads."""
        self.loop.close()
        self.threads.shutdown(wait=False)


class Flights:
    """The flights of one drain; a context manager, after which nothing of it is in the air."""

    def __init__(self, space: Airspace, most: int) -> None:
        self._space = space
        self._most = most
        self._places = 0
        self._air: dict[asyncio.Task[Outcome], Flight] = {}
        self._failure: BaseException | None = None
        self._looked_at = time.monotonic()
        self._stood_still_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._air:
            self._space.loop.run(self._ground())
        self._keep(0)
        if self._failure and error == (None, None, None):
            raise self._failure

    def __len__(self) -> int:
        return len(self._air)

    def room(self) -> int:
        """How many more may start. After a channel has failed in a way that channels must not, none: the others land first."""
        if self._failure is None:
            self._places += self._space.take(self._most - self._places)
        return self._places - len(self._air) if self._failure is None else 0

    def fly(self, starting: Sequence[Flight]) -> list[tuple[Flight, Outcome]]:
        """Start these, then wait until some of all have landed, but not for long: those, and what came of them."""
        landed = self._space.loop.run(self._fly(starting)) if starting or self._air else []
        self._keep(len(self._air))
        now = time.monotonic()
        if now - self._looked_at > STILL:
            self._stood_still_at = now
        self._looked_at = now
        return landed

    def is_doubtful(self, attempt: Attempt) -> bool:
        """Whether this process stood still since it began: that it took long tells nothing of the other side."""
        return attempt.begun < self._stood_still_at

    def _keep(self, places: int) -> None:
        self._space.give(self._places - places)
        self._places = places

    async def _fly(self, starting: Sequence[Flight]) -> list[tuple[Flight, Outcome]]:
        for flight in starting:
            self._air[asyncio.ensure_future(flight.fly(self._space.threads))] = flight
        landed, _ = await asyncio.wait(self._air, timeout=SETTLE)
        if not landed:
            landed, _ = await asyncio.wait(self._air, timeout=LOOK_UP, return_when=asyncio.FIRST_COMPLETED)
        ended = [(self._air.pop(task), task) for task in landed]
        self._failure = next((task.exception() for _, task in ended if task.exception()), self._failure)
        return [(flight, task.result()) for flight, task in ended if not task.exception()]

    async def _ground(self) -> None:
        for task in self._air:
            task.cancel()
        await asyncio.wait(self._air)
        self._air.clear()
