"""What every test may ask for: a real server, the one clock, the sandbox."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog

from deploy.local.embedded import Server, start_server
from tasks.utils.clock import MovableClock
from tasks.utils.connect import connect
from tasks.utils.keys import Keys
from tasks.utils.trust import authorities
from tests.openapi import Watch
from tests.turns import pytest_collection_modifyitems, pytest_runtest_protocol  # noqa: F401 (hooks)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that a test runs within this process has its way with logging, which is everybody's."""
    root = logging.getLogger()
    handlers, level, was_configured = root.handlers[:], root.level, structlog.is_configured()
    yield
    root.handlers[:] = [handler for handler in root.handlers if handler in handlers]
    root.setLevel(level)
    if not was_configured:
        structlog.reset_defaults()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One real server for the whole run; tests of restarts start their own."""
    with start_server(tmp_path_factory.mktemp("server"), persist=False) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    """A client on the emptied server."""
    with connect(server.url) as redis:
        redis.flushall()
        yield redis


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def clock(client: Any, keys: Keys) -> MovableClock:
    """The fleet's clock, which this test may set forward."""
    return MovableClock(client, keys)


class Sandbox:
    """The PagerDuty stand-in as tests use it: over HTTP, like everybody else."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=10, verify=authorities())
        self.watch = Watch(self.control)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API; returns the parsed answer."""
        answer = self.http.request(method, f"/_sandbox{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def reset(self) -> None:
        self.control("POST", "/reset")

    def reset_but_keys(self, keys: Iterable[str]) -> None:
        """Forget everything, then know these routing keys again."""
        self.reset()
        for key in set(keys):
            self.register(key, key)

    def clear_log(self) -> None:
        """Forget what arrived."""
        self.control("DELETE", "/log")

    def count(self) -> int:
        """How many requests have arrived since the log was cleared, without fetching them."""
        return int(self.control("GET", "/state")["log"]["entries"])

    def register(self, key: str, service: str) -> None:
        """Make PagerDuty know a routing key."""
        self.control("POST", "/keys", {"key": key, "service": service})

    def fault(self, **fault: Any) -> str:
        """Let something go wrong; returns the fault's id."""
        return self.control("POST", "/faults", fault)["id"]  # type: ignore[no-any-return]

    def heal(self) -> None:
        """End every fault."""
        self.control("DELETE", "/faults")

    def log(self) -> list[dict[str, Any]]:
        """What arrived at /v2/enqueue, in order of arrival."""
        entries: list[dict[str, Any]] = []
        since = 0
        while True:
            page = self.control("GET", f"/log?since={since}")
            entries += page["entries"]
            if not page["entries"] or page["next"] == since:
                return entries
            since = page["next"]

    def incidents(self) -> list[dict[str, Any]]:
        """Every incident there is."""
        headers = {"Authorization": "Token token=" + "a" * 20}
        answer = self.http.get("/incidents", params={"limit": 100, "date_range": "all"}, headers=headers)
        answer.raise_for_status()
        return answer.json()["incidents"]  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    """One sandbox process for the whole run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.sandbox", "--host", "127.0.0.1", "--port", "0"],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    sandbox = Sandbox(json.loads(process.stdout.readline())["url"])
    yield sandbox
    sandbox.http.close()
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=10)
    process.stdout.close()


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, empty: no keys, no incidents, no faults. What went through it must be as PagerDuty describes it."""
    sandbox_process.reset()
    yield sandbox_process
    sandbox_process.watch.check()
