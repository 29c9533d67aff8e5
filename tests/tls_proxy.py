"""TLS in front of a server that has none: asks every client for a certificate and hands on what it says."""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tests.tls import Authority, Issued


class TlsProxy:
    """Listens on a free port with this certificate. Use as a context manager. `refused` counts failed handshakes."""

    def __init__(self, authority: Authority, issued: Issued, target_port: int) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_cert_chain(issued.cert, issued.key)
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda *_: None)  # a refused handshake is what some tests are about
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.connections = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        ends = [writer]
        try:
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            ends.append(behind_writer)
            await asyncio.gather(_pump(reader, behind_writer), _pump(behind_reader, writer))
        finally:
            await _let_go(ends)

    async def _end(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def _let_go(ends: list[asyncio.StreamWriter]) -> None:
    """Close what may still be open, as it is when the proxy ends first: else its sockets are found open later, in any test."""
    for end in ends:
        end.transport.abort()
    for end in ends:
        with suppress(OSError):
            await end.wait_closed()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(64 * 1024):
            target.write(data)
            await target.drain()
    with suppress(OSError, RuntimeError):
        target.close()
