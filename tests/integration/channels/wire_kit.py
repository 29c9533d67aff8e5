"""Servers that behave badly on purpose, one connection after the other, and one that answers as it is told."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Behaviour = Callable[[socket.socket, threading.Event], None]


@contextmanager
def listening(behave: Behaviour) -> Iterator[tuple[str, int]]:
    """A server that treats each connection as told; yields its host and port."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    behave(connection, over)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=10)


def drip(answer: bytes) -> Behaviour:
    """Send an answer one byte at a time, each well within a read time-out."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        for byte in answer:
            connection.sendall(bytes([byte]))
            if over.wait(0.1):
                return

    return behave


def hold(connection: socket.socket, over: threading.Event) -> None:
    """Take the connection and say nothing more."""
    connection.settimeout(30)
    while not over.is_set() and connection.recv(65536):
        pass


def reset(connection: socket.socket, over: threading.Event) -> None:
    """End the connection with a TCP reset."""
    del over
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def flood(chunk: bytes) -> Behaviour:
    """Send without end."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        while not over.is_set():
            connection.sendall(chunk)

    return behave


class Listener:
    """An HTTP server's whole behaviour: it keeps each request and gives the answers one after the other, the last one for ever."""

    def __init__(self, *answers: bytes | Behaviour) -> None:
        self.requests: list[bytes] = []
        self._answers = answers

    def __call__(self, connection: socket.socket, over: threading.Event) -> None:
        request = read_request(connection)
        if not request:
            return
        self.requests.append(request)
        answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        if isinstance(answer, bytes):
            connection.sendall(answer)
        else:
            answer(connection, over)


def read_request(connection: socket.socket) -> bytes:
    """One request, its body included; empty where the client left before its end."""
    data = b""
    while True:
        head, end, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        if end and len(body) >= int(length[1] if length else 0):
            return data
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk


def answer(status: int, text: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """An HTTP answer, after which the connection is closed; `length`: what it says its text has, if that is not true."""
    if status in (204, 304) or status < 200:
        text = b""
    lines = [f"HTTP/1.1 {status} Whatever", "Connection: close", *headers]
    if status >= 200:
        lines.append(f"Content-Length: {len(text) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + text
