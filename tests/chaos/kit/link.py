"""A TCP link of ours between the fleet and what it talks to: it can be cut, slowed, silenced and closed."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

RESET = struct.pack("ii", 1, 0)  # linger for no time: closing sends RST


class Link:
    """Passes bytes on between a port of its own and `host:port`, on a thread of its own. Its verbs return when done."""

    def __init__(self, host: str, port: int, *, delay: float = 0.0) -> None:
        self.target = (host, port)
        self.port = 0
        self.delay = self._usual_delay = delay
        self.is_silent = False
        self.ends: set[End] = set()
        self.loop = asyncio.new_event_loop()
        self._listener: asyncio.Server | None = None
        self._thread = threading.Thread(target=self.loop.run_forever, name="link", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=10)
        self.loop.close()

    def cut(self) -> None:
        """Reset every connection there is; new ones are welcome."""
        self._do(self._reset_all)

    def slow(self, seconds: float) -> None:
        """Let every byte take so long, in both directions."""
        self.delay = seconds

    def silence(self) -> None:
        """Keep every connection open and pass nothing on, as a peer does that has vanished."""
        self.is_silent = True
        self._do(self._deafen)

    def refuse(self) -> None:
        """Reset every connection and take none."""
        self._do(self._close)

    def heal(self) -> None:
        """Be a good link again. What was silenced stays dead: its bytes are gone."""
        self.delay, self.is_silent = self._usual_delay, False
        self._do(self._recover)

    def _do(self, work: Callable[[], Any]) -> None:
        asyncio.run_coroutine_threadsafe(work(), self.loop).result(10)

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await self.loop.create_server(lambda: Caller(self), "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self._reset_all()

    async def _end(self) -> None:
        """Leave nothing open or begun: else it is found so later, in any test."""
        await self._close()
        calls = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        for end in self.ends:  # also those that would still say what they have not passed on
            if end.transport is not None:
                end.transport.abort()

    async def _reset_all(self) -> None:
        for end in list(self.ends):
            end.reset()

    async def _deafen(self) -> None:
        for end in self.ends:
            end.is_dead = True

    async def _recover(self) -> None:
        for end in [end for end in self.ends if end.is_dead]:
            end.reset()
        await self._listen()


class End(asyncio.Protocol):
    """One of the two ends of a connection."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.peer: End | None = None
        self.transport: asyncio.Transport | None = None
        self.is_dead = link.is_silent
        self._late: deque[bytes] = deque()  # what is on its way to the peer, slowly

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.link.ends.add(self)

    def data_received(self, data: bytes) -> None:
        if self.is_dead or self.link.is_silent:
            self.is_dead = True
            return
        if self.link.delay or self._late or not self.peer:
            self._late.append(data)
            self.link.loop.call_later(self.link.delay, self._pass_next)
        else:
            self.peer.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.link.ends.discard(self)
        if self.peer is not None and not self.is_dead:
            self.flush()
            self.peer.close()

    def flush(self) -> None:
        while self._late:
            self._pass_next()

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.is_dead and not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def reset(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        self.is_dead = True
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    def _pass_next(self) -> None:
        if self.peer is not None and self._late:
            self.peer.write(self._late.popleft())


class Caller(End):
    """The end towards who has called; it makes the other one."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if not self.is_dead:
            self._calling = self.link.loop.create_task(self._call())

    async def _call(self) -> None:
        try:
            _, callee = await self.link.loop.create_connection(lambda: End(self.link), *self.link.target)
        except OSError:
            self.reset()
            return
        callee.peer, self.peer = self, callee
        if self.transport is None or self.transport.is_closing():
            callee.close()
        else:
            self.link.loop.call_later(self.link.delay, self.flush)
