"""Reliable fetch beside the stock transport, in turn in one run, so that a busy machine slows both."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING

import pytest

from tests.chaos.fetch_fleet import Fleet, Worker, await_that, fleet

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.alone

MESSAGES = 500
ROUNDS = 15


def rate(the_fleet: Fleet, worker: Worker) -> float:
    """Messages per second of one round, fetched, done and acknowledged."""
    worker.freeze()
    with the_fleet.producer.connection_for_write() as connection:
        for _ in range(MESSAGES):
            the_fleet.producer.send_task("t.noop", queue="alert", connection=connection)
    start = time.perf_counter()
    worker.thaw()
    await_that(the_fleet.is_drained, what="the end of the round")
    return MESSAGES / (time.perf_counter() - start)


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_reliable_fetch_costs_no_more_than_a_seventh_of_the_rate(tmp_path: Path, pool: str) -> None:
    (tmp_path / "stock").mkdir()
    (tmp_path / "reliable").mkdir()
    with fleet(tmp_path / "stock") as stock, fleet(tmp_path / "reliable") as ours:
        pair = [(stock, stock.worker(pool=pool, fetch="stock")), (ours, ours.worker(pool=pool))]
        rates: dict[int, list[float]] = {0: [], 1: []}
        for number in range(ROUNDS + 1):
            for which in (0, 1) if number % 2 else (1, 0):
                rates[which].append(rate(*pair[which]))

    medians = [statistics.median(rates[which][1:]) for which in (0, 1)]  # the first round warms up
    print(json.dumps({"pool": pool, "stock": round(medians[0]), "reliable": round(medians[1]), "unit": "/s"}))
    assert medians[1] >= 0.85 * medians[0]
