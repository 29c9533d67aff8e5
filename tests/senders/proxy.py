"""A proxy that leads every https request to one place, as a DNS entry for PagerDuty's host name would."""

from __future__ import annotations

import socket
import threading
from typing import Self

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Proxy:
    """Tunnels `CONNECT host:port` to `target`, whatever the host; notes the hosts that were asked for."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.asked: list[str] = []
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                sender, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(sender,), daemon=True).start()

    def _tunnel(self, sender: socket.socket) -> None:
        with sender, socket.create_connection(self._target) as gateway:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                part = sender.recv(65536)
                if not part:
                    return
                head += part
            self.asked.append(head.split()[1].decode())
            sender.sendall(ESTABLISHED)
            back = threading.Thread(target=_pump, args=(gateway, sender), daemon=True)
            back.start()
            _pump(sender, gateway)
            back.join(timeout=5)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
