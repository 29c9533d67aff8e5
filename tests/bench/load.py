"""A cheap load: so many connections that each send a request, wait for its answer, and send the next. Run as a process of its own.

    python -m tests.bench.load URL CONNECTIONS CORE < bodies.jsonl

prints one JSON document: seconds from the first request to the last answer, milliseconds of each request, answers by status.
A line may begin with more headers: a JSON object, then a tab.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter, deque
from typing import Any
from urllib.parse import urlsplit

import uvloop


class Sender(asyncio.Protocol):
    """One connection. It knows just enough HTTP for answers with a Content-Length."""

    def __init__(self, requests: deque[bytes], samples: list[float], statuses: Counter[int]) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._samples = samples
        self._statuses = statuses
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._buffer = b""
        self._samples.append((time.perf_counter() - self._sent) * 1000)
        self._statuses[int(head[9:12])] += 1
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionResetError("the server hung up"))

    def _send(self) -> None:
        if not self._requests:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(self._requests.popleft())


def _request(head: bytes, line: bytes) -> bytes:
    more, _, body = line.rpartition(b"\t")
    headers = "".join(f"\r\n{name}: {value}" for name, value in json.loads(more or b"{}").items())
    return head + str(len(body)).encode() + headers.encode() + b"\r\n\r\n" + body


async def load(url: str, connections: int, bodies: list[bytes]) -> dict[str, object]:
    """Send every body once."""
    place = urlsplit(url)
    head = f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
    requests = deque(_request(head.encode(), line) for line in bodies)
    samples: list[float] = []
    statuses: Counter[int] = Counter()
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    senders = []
    for _ in range(connections):
        _, sender = await loop.create_connection(
            lambda: Sender(requests, samples, statuses), place.hostname, place.port
        )
        senders.append(sender)
    await asyncio.gather(*(sender.done for sender in senders))
    return {"seconds": time.perf_counter() - started, "samples": samples, "statuses": statuses}


def main(url: str, connections: str, core: str) -> None:
    """Run on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    bodies = sys.stdin.buffer.read().splitlines()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(load(url, int(connections), bodies))))


if __name__ == "__main__":
    main(*sys.argv[1:])
