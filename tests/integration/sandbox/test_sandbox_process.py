from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.sandbox.kit import KEY, SandboxProcess, event, write_account

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = {"services": [{"name": "db", "integrations": [{"routing_key": KEY}]}]}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.sandbox", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_sigterm_stops_it_in_order_even_with_an_answer_held_back() -> None:
    sandbox = SandboxProcess()
    sandbox.reset()
    sandbox.fault("slow", delay_seconds=60)
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2]))) as waiting:
        waiting.sendall(b"GET /incidents HTTP/1.1\r\nHost: x\r\n\r\n")

        assert sandbox.stop() == 0


def test_it_starts_with_an_account_file_and_a_reset_goes_back_to_it(tmp_path: Path) -> None:
    with SandboxProcess("--account", write_account(tmp_path / "account.json", ACCOUNT)) as sandbox:
        assert sandbox.enqueue(event()).status_code == 202
        sandbox.control("DELETE", f"/keys/{KEY}")
        assert sandbox.enqueue(event()).status_code == 400
        sandbox.control("POST", "/reset")
        assert sandbox.enqueue(event()).status_code == 202


def test_it_starts_as_a_sink_and_without_limits() -> None:
    with SandboxProcess("--sink", "--no-limits") as sandbox:
        state = sandbox.control("GET", "/state")

        assert state["sink"] is True
        assert state["limits"] == {"events_per_minute": None, "rest_per_minute": None, "read_delay_seconds": 0.0}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "Expecting property name"),
        ('{"services": [{"name": "db", "integrations": [{"routing_key": "short"}]}]}', "integrations.0.routing_key"),
        ('{"services": [{"id": "P1", "name": "a"}, {"id": "P1", "name": "b"}]}', "two services have the id P1"),
    ],
)
def test_a_broken_account_file_is_named_with_its_fault(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "account.json"
    path.write_text(content)

    ended = run("--account", str(path))

    assert ended.returncode == 1
    assert str(path) in ended.stderr
    assert told in ended.stderr
    assert ended.stdout == ""


def test_a_missing_account_file_is_named(tmp_path: Path) -> None:
    ended = run("--account", str(tmp_path / "nowhere.json"))

    assert (ended.returncode, "nowhere.json" in ended.stderr) == (1, True)


def test_a_port_in_use_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("--port", str(taken.getsockname()[1]))

    assert ended.returncode == 1
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
def test_it_listens_on_loopback_only(host: str) -> None:
    ended = run("--host", host)

    assert ended.returncode == 2
    assert "no loopback address" in ended.stderr


def test_it_knows_nothing_of_the_rest_of_the_project() -> None:
    names = ("config", "tasks", "workers", "schedules", "celery", "redis", "deploy.local")
    code = f"import sys, deploy.sandbox.__main__; print([name for name in {names} if name in sys.modules])"

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "[]"
