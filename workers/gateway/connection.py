"""One connection to the gateway, guarded against senders that take for ever. uvicorn itself waits without end for a request to arrive."""

import asyncio
import re
from http import HTTPStatus
from typing import ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from workers.gateway.bodies import refusal
from workers.gateway.lingering import Lingering

MOST_HEADER_BYTES: Final = 64 * 1024
_OFFER: Final = re.compile(rb"\r\nupgrade:", re.IGNORECASE)


class Guarded(HttpToolsProtocol):
    """uvicorn's connection with an end to every wait for the sender, and to the size of headers.

    Headers have `seconds` to arrive, from the connection's or the request's first byte on; a body has twice that, since
    the doors themselves answer after `seconds`. Between two requests uvicorn's own keep-alive time holds.
    """

    transport: Lingering  # type: ignore[assignment]
    seconds: ClassVar[float] = 10.0
    _timer: asyncio.TimerHandle | None = None
    _heads = 0  # requests whose headers have arrived
    _bodies = 0  # requests that have arrived whole
    _head_bytes = 0
    _watched: tuple[int, bool] | None = None  # heads and whether a body is waited for; None = nothing is waited for

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(Lingering(transport, lambda: self._heads > self._bodies))  # type: ignore[arg-type]
        self._watch((0, False))

    def data_received(self, data: bytes) -> None:
        """Parse what came, then see what is waited for now."""
        if self.transport.is_closing():
            return
        bodies = self._bodies
        if self._heads == bodies and b"pgrade" in data:
            data = _without_offer(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._heads > self._bodies:
            self._watch((self._heads, True))
        elif self._bodies > bodies:
            self._head_bytes = 0
            self._watch(None)
        else:
            self._head_bytes += len(data)
            self._watch((self._heads, False))
            if self._head_bytes > MOST_HEADER_BYTES:
                self._end(431, f"the headers are larger than {MOST_HEADER_BYTES} bytes; send less")

    def on_headers_complete(self) -> None:
        """Count the headers."""
        self._heads += 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Count the request."""
        self._bodies += 1
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._watch(None)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the same shape as everything else."""
        self._end(400, f"{msg.rstrip('.')}; send HTTP/1.1, and https only where the gateway has a certificate")

    def _watch(self, what: tuple[int, bool] | None) -> None:
        if what == self._watched:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._watched = what
        if what is not None:
            self._timer = self.loop.call_later(self.seconds * (2 if what[1] else 1), self._give_up, what)

    def _give_up(self, what: tuple[int, bool]) -> None:
        _, for_body = what
        if for_body or not self._head_bytes:
            self.transport.abandon()
        else:
            self._end(408, f"the headers took longer than {self.seconds:g} s; send them at once")

    def _end(self, status: int, fault: str) -> None:
        self._watch(None)
        answer = refusal(status, [fault], {"Connection": "close"})
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        lines += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(answer.body)]))
        self.transport.linger()


def _without_offer(data: bytes) -> bytes:
    """The same without an offer to speak another protocol, which Java's client makes with every request: the parser would drop the body."""
    head, end, rest = data.partition(b"\r\n\r\n")
    return _OFFER.sub(b"\r\nx-upgrade:", head) + end + rest


def guarded(seconds: float) -> type[Guarded]:
    """The class of connections whose senders have so many seconds."""
    return type("Guarded", (Guarded,), {"seconds": seconds})
