from __future__ import annotations

import json
import socket
import struct
import time
from typing import TYPE_CHECKING

from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp

ARRIVED_AT = "arrived_at"
TRANSPORT = "transport"
# Longer than clients pool idle connections, so that it is never the sandbox that spoils a request by accident.
KEEP_ALIVE_SECONDS = 75


class Wire(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, which also tells when a request began to arrive and on which connection."""

    def on_message_begin(self) -> None:
        """Note the time of the request's first byte."""
        arrived_at = time.time()
        super().on_message_begin()
        state = self.scope.setdefault("state", {})
        state[ARRIVED_AT] = arrived_at
        state[TRANSPORT] = self.transport


class Announced(Server):
    """A server that prints its address on stdout once it listens: one line, for whoever started it."""

    def __init__(self, config: Config, close: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._close = close

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        print(json.dumps({"url": address((sockets or [])[0])}), flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop at once: answers that faults hold back are not waited for."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, Wire):
                connection.transport.abort()
        await super().shutdown(sockets)
        await self._close()


def serve(app: ASGIApp, listener: socket.socket, close: Callable[[], Awaitable[None]]) -> None:
    """Serve until SIGTERM or SIGINT, then `close` what the app has open."""
    config = Config(
        app,
        http=Wire,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    Announced(config, close).run(sockets=[listener])


def address(listener: socket.socket) -> str:
    """The address clients reach this socket by."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def reset(transport: asyncio.Transport) -> None:
    """End a connection with a TCP reset: what is unsent is thrown away and the client is told so at once."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
