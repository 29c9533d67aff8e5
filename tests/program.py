"""`tocsin` as tests run it to its end: each run a process of its own, with its own environment and streams."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
WARM = Path(__file__).with_name("warm.py")


class Warm:
    """The process that has imported the program already; see tests/warm.py."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._orders, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", WARM, str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        atexit.register(self._close)

    def run(self, order: dict[str, Any], *streams: IO[bytes], timeout: float) -> int:
        """The exit code of one run."""
        answer, theirs = os.pipe()
        with open(answer, encoding="ascii") as told:  # noqa: PTH123 (it has no path)
            try:
                self._send(json.dumps(order).encode(), [*(stream.fileno() for stream in streams), theirs])
            finally:
                os.close(theirs)
            program = int(told.readline())
            if not select.select([told], [], [], timeout)[0]:
                os.kill(program, signal.SIGKILL)
                raise subprocess.TimeoutExpired(order["words"], timeout)
            return int(told.readline())

    def _send(self, order: bytes, fds: list[int]) -> None:
        with self._lock:
            socket.send_fds(self._orders, [len(order).to_bytes(4, "big")], fds)
            self._orders.sendall(order)

    def _close(self) -> None:
        self._orders.close()
        self._process.wait(timeout=10)


warm = cache(Warm)


def run(
    *words: str,
    environment: Mapping[str, str],
    input: str = "",  # noqa: A002 (as `subprocess.run` calls it)
    timeout: float = 60,
) -> subprocess.CompletedProcess[str]:
    """The program run to its end in this environment alone, where nobody sits: `input` is all there is on its stdin."""
    with TemporaryFile() as stdin, TemporaryFile() as stdout, TemporaryFile() as stderr:
        stdin.write(input.encode())
        stdin.seek(0)
        order = {"words": words, "environment": dict(environment), "cwd": str(ROOT)}
        code = warm().run(order, stdin, stdout, stderr, timeout=timeout)
        return subprocess.CompletedProcess(words, code, _text(stdout), _text(stderr))


def tocsin(
    *words: str,
    env: Mapping[str, str] | None = None,
    input: str = "",  # noqa: A002
) -> subprocess.CompletedProcess[str]:
    """The program run to its end in this environment and what `env` adds."""
    return run(*words, environment={**os.environ, **(env or {})}, input=input)


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()
