"""Many processes call PagerDuty with one key: never more often than its limit allows, in any span of time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.chaos.crowd import crowd

if TYPE_CHECKING:
    from typing import Any

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox

LIMIT = 960
BURST = LIMIT / 8
RATE = (LIMIT - BURST) / 60


def flow(server: Server, sandbox: Sandbox, *, processes: int, seconds: float) -> list[float]:
    """Let so many processes call as fast as they may; when each call arrived."""
    with crowd("tests.chaos.rest_process", sandbox.url, server.url, processes=processes):
        threading.Event().wait(seconds)
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
