"""Workers are killed at random moments; every message is worked off all the same."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.chaos.fetch_fleet import Fleet, Worker, await_that, fleet

if TYPE_CHECKING:
    from pathlib import Path

SEED = int(os.environ.get("SEED", "1"))
SLOTS = 16


def kill_at_random(the_fleet: Fleet, workers: list[Worker], *, messages: int, kills: int) -> None:
    """Kill the workers in turn, at moments spread over the whole queue, and start each again."""
    dice = random.Random(SEED)
    for number in range(kills):
        worker = workers[number % len(workers)]
        worker.await_ready()
        left = messages * (1 - (number + dice.uniform(0.2, 0.8)) / kills)
        await_that(lambda left=left: the_fleet.redis.llen("t:alert") <= left, what="progress")
        worker.kill()
        worker.start()


def survive(folder: Path, fetch: str, *, messages: int, kills: int) -> tuple[int, int]:
    """How many messages were lost, and how many done more than once."""
    with fleet(folder) as the_fleet:
        the_fleet.send(range(messages))
        workers = [the_fleet.worker(slots=SLOTS, fetch=fetch, ready=False) for _ in range(2)]
        kill_at_random(the_fleet, workers, messages=messages, kills=kills)
        await_that(the_fleet.is_drained, what="the end of the queue")
        done = the_fleet.done()
        return messages - len(done), sum(times - 1 for times in done.values())


def test_a_worker_killed_again_and_again_loses_no_message(tmp_path: Path) -> None:
    lost, repeated = survive(tmp_path, "reliable", messages=1500, kills=4)

    assert lost == 0
    assert repeated <= 4 * (SLOTS + 1)


@pytest.mark.slow
def test_twenty_five_kills_lose_none_of_20000_messages(tmp_path: Path) -> None:
    for folder in ("stock", "reliable"):
        (tmp_path / folder).mkdir()
    stock = survive(tmp_path / "stock", "stock", messages=20_000, kills=25)
    ours = survive(tmp_path / "reliable", "reliable", messages=20_000, kills=25)

    print(json.dumps({"seed": SEED, "stock": stock, "reliable": ours, "of": "lost, repeated"}))
    assert ours[0] == 0
    assert ours[1] <= 25 * (SLOTS + 1)


def test_what_a_frozen_worker_holds_is_done_by_its_peer(tmp_path: Path) -> None:
    with fleet(tmp_path) as the_fleet:
        frozen = the_fleet.worker()
        the_fleet.send(range(300))
        await_that(lambda: len(the_fleet.done()) > 20)
        frozen.freeze()
        the_fleet.worker()

        await_that(lambda: len(the_fleet.done()) == 300, what="the peer's work")
        frozen.thaw()

        await_that(the_fleet.is_drained, what="the end of the queue")
        assert set(the_fleet.done()) == set(range(300))
        the_fleet.send(range(300, 320))
        await_that(lambda: len(the_fleet.done()) == 320, what="new work")
