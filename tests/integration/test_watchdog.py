"""A deaf worker ends itself; one that is busy, idle, or without a server does not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.chaos.fetch_fleet import await_that, fleet
from workers.watchdog import DEAF, Ear

if TYPE_CHECKING:
    from pathlib import Path


def test_an_ear_that_hears_nothing_look_after_look_is_deaf() -> None:
    ear = Ear(looks_needed=3)
    ear.look(waiting={"alert": 1}, received=5, busy=False)

    assert [ear.look(waiting={"alert": 1}, received=5, busy=False) for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize(
    "sign",
    [
        {"waiting": {"alert": 0}, "received": 5, "busy": False},
        {"waiting": {"alert": 9}, "received": 6, "busy": False},
        {"waiting": {"alert": 9}, "received": 5, "busy": True},
        {"waiting": {}, "received": 5, "busy": False},
    ],
)
def test_any_sign_of_health_starts_the_count_anew(sign: dict[str, object]) -> None:
    ear = Ear(looks_needed=2, looks=1, received=5)

    assert not ear.look(**sign)  # type: ignore[arg-type]
    assert ear.looks == 0


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_worker_that_went_deaf_says_so_and_exits_and_its_successor_does_the_work(tmp_path: Path, pool: str) -> None:
    with fleet(tmp_path) as the_fleet:
        worker = the_fleet.worker(pool=pool, watchdog="2", deafened="yes")
        await_that(lambda: "deafened" in worker.text())
        the_fleet.send(range(3))

        assert worker.process.wait(30) == DEAF
        (line,) = [line for line in worker.text().splitlines() if "this worker is deaf" in line]
        assert "alert: " in line
        the_fleet.worker(pool=pool)
        await_that(lambda: len(the_fleet.done()) == 3)


def test_a_busy_worker_is_not_deaf(tmp_path: Path) -> None:
    with fleet(tmp_path) as the_fleet:
        worker = the_fleet.worker(slots=2, watchdog="1")
        the_fleet.send([2, 2, 2, 2], task="t.rest")

        await_that(lambda: the_fleet.redis.get("rested") == b"4")
        assert worker.lives


def test_an_idle_worker_is_not_deaf(tmp_path: Path) -> None:
    with fleet(tmp_path) as the_fleet:
        worker = the_fleet.worker(watchdog="1")
        time.sleep(2)  # twice as long as it takes to be called deaf

        assert worker.lives


def test_a_worker_without_its_server_is_not_deaf(tmp_path: Path) -> None:
    with fleet(tmp_path) as the_fleet:
        worker = the_fleet.worker(watchdog="2")
        the_fleet.server.kill()
        time.sleep(3)  # longer than it takes to be called deaf
        the_fleet.server.restart()
        the_fleet.send(range(5))

        await_that(lambda: len(the_fleet.done()) == 5 or not worker.lives)
        assert worker.lives, worker.text()


def test_a_worker_told_to_stop_is_not_deaf(tmp_path: Path) -> None:
    with fleet(tmp_path) as the_fleet:
        worker = the_fleet.worker(slots=2, watchdog="1")
        the_fleet.send([2], task="t.rest")
        await_that(lambda: the_fleet.redis.get("resting"))
        the_fleet.send(range(10))
        await_that(lambda: len(the_fleet.done()) == 10)

        worker.process.terminate()
        await_that(lambda: "Warm shutdown" in worker.text())
        the_fleet.send(range(10, 20))

        assert worker.process.wait(30) == 0
