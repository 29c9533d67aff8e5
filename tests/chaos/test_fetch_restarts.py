"""The server dies and comes back; nothing is lost and no worker stays idle."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

import pytest
import redis

from tests.chaos.fetch_fleet import Fleet, await_that, fleet
from tests.chaos.test_fetch_kills import SEED

if TYPE_CHECKING:
    from pathlib import Path

MOST_IDLE = 30


class Idleness(threading.Thread):
    """Watches for how long nothing was done although the server was up and messages waited."""

    def __init__(self, the_fleet: Fleet) -> None:
        super().__init__(daemon=True)
        self.fleet, self.ended, self.longest = the_fleet, threading.Event(), 0.0

    def run(self) -> None:
        before, since = -1, time.monotonic()
        while not self.ended.wait(0.2):
            try:
                waiting, done = self.fleet.redis.llen("t:alert"), self.fleet.redis.hlen("done")
            except redis.RedisError:
                waiting, done = 0, -1
            if done != before or not waiting:
                before, since = done, time.monotonic()
            self.longest = max(self.longest, time.monotonic() - since)


def survive_restarts(folder: Path, *, messages: int, restarts: int, pool: str) -> tuple[int, float]:
    """How many messages were lost, and the longest time (s) a worker did nothing although it could have."""
    dice = random.Random(SEED)
    with fleet(folder) as the_fleet:
        the_fleet.send(range(messages))
        workers = [the_fleet.worker(slots=4, pool=pool, watchdog="20") for _ in range(2)]
        idleness = Idleness(the_fleet)
        idleness.start()
        for number in range(restarts):
            left = messages * (1 - (number + dice.uniform(0.2, 0.8)) / restarts)
            await_that(lambda left=left: the_fleet.redis.llen("t:alert") <= left, what="progress")
            the_fleet.server.kill()
            time.sleep(dice.uniform(0, 1.5))  # how long the server is away: there is nothing to wait for
            the_fleet.server.restart()
        await_that(the_fleet.is_drained, what="the end of the queue")
        idleness.ended.set()
        assert all(worker.lives for worker in workers), [worker.text() for worker in workers]
        return messages - len(the_fleet.done()), idleness.longest


def test_a_restarted_server_finds_its_workers_back_at_work_and_nothing_is_lost(tmp_path: Path) -> None:
    lost, idle = survive_restarts(tmp_path, messages=1200, restarts=2, pool="threads")

    assert lost == 0
    assert idle <= MOST_IDLE


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_five_server_restarts_under_load_lose_nothing(tmp_path: Path, pool: str) -> None:
    lost, idle = survive_restarts(tmp_path, messages=6000, restarts=5, pool=pool)

    print(f"{pool}: {lost} lost, idle for {idle:.1f} s at most")
    assert lost == 0
    assert idle <= MOST_IDLE


def test_an_idle_worker_with_messages_unacknowledged_survives_the_server(tmp_path: Path) -> None:
    """What kills the worker of Celery 5.7.0: the server refuses connections while a fetch is pending."""
    with fleet(tmp_path) as the_fleet:
        worker = the_fleet.worker(slots=4)
        the_fleet.send([4], task="t.rest")
        await_that(lambda: the_fleet.redis.get("resting"))

        the_fleet.server.kill()
        await_that(lambda: "Trying again" in worker.text(), what="the worker's notice")
        the_fleet.server.restart()

        the_fleet.send(range(20))
        await_that(lambda: len(the_fleet.done()) == 20 or not worker.lives, what="work after the restart")
        assert worker.lives, worker.text()


def test_a_full_server_is_asked_again_without_haste_and_served_when_it_has_room(tmp_path: Path) -> None:
    with fleet(tmp_path) as the_fleet:
        worker = the_fleet.worker(slots=4)
        the_fleet.redis.config_set("maxmemory", "1mb")
        the_fleet.redis.client_kill_filter(_type="normal", skipme=True)
        await_that(lambda: "takes no worker" in worker.text(), what="the worker's notice")
        asked = connections(the_fleet)
        await_that(lambda: connections(the_fleet) >= asked + 4, what="a few more tries")
        the_fleet.redis.config_set("maxmemory", "0")

        the_fleet.send(range(20))
        await_that(lambda: len(the_fleet.done()) == 20 or not worker.lives, what="work once there is room")
        assert worker.lives, worker.text()
        assert worker.text().count("takes no worker") == 1
        assert "Frequent restarts" not in worker.text()


def connections(the_fleet: Fleet) -> int:
    """How many the server has had."""
    return int(the_fleet.redis.info("stats")["total_connections_received"])
