"""Requests as bytes and answers as they come, for tests of what no client library would send."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from deploy.local.embedded import Server
from tests.integration.gateway_kit import TRIGGER, Gateway


@contextmanager
def unharmed(gateway: Gateway, server: Server) -> Iterator[Gateway]:
    """The gateway, which after every test still takes an event, and has left no traceback."""
    with server.client() as redis:
        redis.flushall()
    yield gateway
    assert httpx.post(gateway.url + "/v2/enqueue", json=TRIGGER).status_code == 202
    assert "Traceback" not in gateway.log.read_text()


def request(path: str = "/v2/enqueue", body: bytes = json.dumps(TRIGGER).encode(), **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def event(key: str) -> bytes:
    return request(body=json.dumps({**TRIGGER, "dedup_key": key}).encode())


def read_all(connection: socket.socket) -> bytes:
    """Everything up to the end of the connection."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def read_answers(connection: socket.socket, count: int = 1) -> bytes:
    """So many answers, whole: their last bytes close an object."""
    received = b""
    while len(statuses(received)) < count or not received.endswith((b"}", b"100 Continue\r\n\r\n")):
        part = connection.recv(65536)
        assert part, received
        received += part
    return received
