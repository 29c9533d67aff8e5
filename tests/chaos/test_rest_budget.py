"""Many processes call PagerDuty with one key: never more often than its limit allows, in any span of time."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from typing import Any

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox

LIMIT = 960
BURST = LIMIT / 8
RATE = (LIMIT - BURST) / 60


def flow(server: Server, sandbox: Sandbox, *, processes: int, seconds: float) -> list[float]:
    """Let so many processes call as fast as they may; when each call arrived."""
    command = [sys.executable, "-m", "tests.chaos.rest_process", sandbox.url, server.url]
    over = threading.Event()
    with ExitStack() as stack:
        callers = []
        for _ in range(processes):
            caller = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            stack.callback(caller.wait, timeout=30)
            stack.enter_context(caller.stdin)  # type: ignore[arg-type]
            stack.enter_context(caller.stdout)  # type: ignore[arg-type]
            callers.append(caller)
        for caller in callers:
            assert caller.stdout is not None
            assert caller.stdout.readline() == b"ready\n"
        over.wait(seconds)
    entries = sandbox.log()
    assert {entry["status"] for entry in entries} == {200}  # never throttled
    return [entry["at"] for entry in entries]


def most_within(times: list[float], span: float) -> int:
    return max(sum(begin <= at < begin + span for at in times) for begin in times)


def test_eight_processes_keep_to_the_pace_of_the_limit(client: Any, server: Server, sandbox: Sandbox) -> None:
    times = flow(server, sandbox, processes=8, seconds=12)

    for span in (3, 6, 12):
        assert most_within(times, span) <= BURST + span * RATE
    assert most_within(times, 12) >= 0.8 * (BURST + 12 * RATE)


@pytest.mark.slow
def test_eight_processes_make_960_calls_a_minute_and_no_more(client: Any, server: Server, sandbox: Sandbox) -> None:
    times = flow(server, sandbox, processes=8, seconds=150)

    most = most_within(times, 60)
    print(f"{len(times)} calls, at most {most} in a minute")
    assert 0.9 * LIMIT <= most <= LIMIT
