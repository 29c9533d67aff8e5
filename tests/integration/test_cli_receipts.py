"""`tocsin notifications receipts`, on a server of its own."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from config.settings import load
from deploy.local.embedded import start_server
from tasks.incidents.receipt_figures import figures
from tasks.runtime import Runtime
from tests.program import tocsin
from workers.cli.output import ExitCode

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder: Path = tmp_path_factory.mktemp("fleet")
    with start_server(folder / "redis", persist=False) as server:
        yield {"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(folder)}


def test_it_says_how_many_were_seen_and_missed_and_how_fast(environment: dict[str, str]) -> None:
    runtime = Runtime(load(environ=environment))
    hour = runtime.clock.now_ms() // 3_600_000
    counts = {"seen": 10, "missed": 2, "within:2": 9, "within:more": 1}
    runtime.client.hset(runtime.keys.receipt_hours(hour), mapping=counts)

    people = tocsin("notifications", "receipts", env=environment)
    programs = tocsin("notifications", "receipts", "--hours", "2", "--json", env=environment)

    assert people.returncode == programs.returncode == ExitCode.DEGRADED
    assert "2 s" in people.stdout
    assert "more than an hour" in people.stdout
    assert "Without PAGERDUTY_API_KEY" in people.stdout
    told = json.loads(programs.stdout)
    assert (told["seen"], told["missed"], told["p90_seconds"], told["p99_seconds"]) == (10, 2, 2.0, None)


def test_where_nothing_was_sent_there_is_nothing_to_tell(environment: dict[str, str]) -> None:
    Runtime(load(environ=environment)).client.flushall()

    told = tocsin("notifications", "receipts", env=environment)

    assert told.returncode == ExitCode.OK


def test_a_percentile_is_the_bound_it_lies_within() -> None:
    found = figures([{"within:1": "50", "within:10": "49"}, {"within:60": "1", "seen": "100"}], 2, 0)

    assert (found.p50_seconds, found.p90_seconds, found.p99_seconds) == (1.0, 10.0, 10.0)
