"""Servers that behave badly on purpose, one connection after the other."""

from __future__ import annotations

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
