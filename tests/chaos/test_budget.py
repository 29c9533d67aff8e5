"""Many processes send with one key: never more than its limit in any minute."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.chaos.crowd import crowd
from tests.pipeline import PRIMARY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from deploy.local.embedded import Server
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

LIMIT = 120


def flow(client: Any, keys: Keys, server: Server, sandbox: Sandbox, *, processes: int, seconds: float) -> list[float]:
    """Let so many processes drain more than may go; when each request arrived."""
    sandbox.register(PRIMARY_KEY, "Shop")
    pipeline = Pipeline(client, keys, sandbox.url)
    over = threading.Event()
    with crowd("tests.chaos.budget_process", sandbox.url, server.url, str(LIMIT), processes=processes):
        for second in range(round(seconds)):
            pipeline.submit(*(alert(f"{second}-{number}", severity="error") for number in range(20)))
            over.wait(1)
    pipeline.delivery.close()
    entries = sandbox.log()
    assert {entry["outcome"] for entry in entries} <= {"opened", "updated"}  # never throttled
    return [entry["at"] for entry in entries]


def most_in_a_minute(times: list[float]) -> int:
    return max(sum(begin <= at < begin + 60 for at in times) for begin in times)


def test_four_processes_do_not_overspend_a_key(client: Any, keys: Keys, server: Server, sandbox: Sandbox) -> None:
    times = flow(client, keys, server, sandbox, processes=4, seconds=15)

    assert LIMIT / 2 <= most_in_a_minute(times) <= LIMIT


@pytest.mark.slow
def test_sixteen_processes_keep_to_the_limit_for_three_minutes(
    client: Any, keys: Keys, server: Server, sandbox: Sandbox
) -> None:
    times = flow(client, keys, server, sandbox, processes=16, seconds=180)

    most = most_in_a_minute(times)
    print(f"{len(times)} requests, at most {most} in a minute")
    assert 0.9 * LIMIT <= most <= LIMIT
