"""A receiver of webhooks: a real server on loopback that keeps what it gets and answers as it is told."""

from __future__ import annotations

import json
import ssl
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.tls import Issued

PATIENCE = 10


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The event in it."""
        return dict(json.loads(self.body)["event"])


class Receiver:
    """Use as a context manager. Answers 202, or what `answers` says, one after the other."""

    def __init__(self, port: int = 0, certificate: Issued | None = None) -> None:
        self.answers: deque[int] = deque()
        self.let_go = threading.Event()
        self.let_go.set()
        self._received: Queue[Received] = Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver._received.put(Received(self.path, headers, body))
                receiver.let_go.wait(PATIENCE)
                self.send_response(receiver.answers.popleft() if receiver.answers else 202)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}/webhooks"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.cert, certificate.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def get(self) -> Received:
        """The next request."""
        return self._received.get(timeout=PATIENCE)

    def types(self, count: int) -> list[str]:
        """The event types of so many requests."""
        return [self.get().event["event_type"] for _ in range(count)]

    def is_empty(self) -> bool:
        """Whether nothing came that was not asked for."""
        try:
            self._received.get_nowait()
        except Empty:
            return True
        return False
