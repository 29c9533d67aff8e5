from __future__ import annotations

import asyncio
from functools import partial

import pytest

from deploy.sandbox.clock import Clock
from deploy.sandbox.due import Schedule


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def schedule(clock: Clock) -> Schedule:
    return Schedule(clock)


def test_what_falls_due_on_the_way_runs_in_order_at_its_own_time(clock: Clock, schedule: Schedule) -> None:
    start, seen = clock.now(), list[tuple[str, int]]()

    def ring(name: str) -> None:
        seen.append((name, round(clock.now() - start)))

    for name, after in (("late", 7200), ("early", 60), ("tomorrow", 90_000)):
        schedule.at(start + after, partial(ring, name))

    schedule.advance(86_400)

    assert seen == [("early", 60), ("late", 7200)]
    assert clock.now() - start == pytest.approx(86_400, abs=1)


def test_what_is_set_going_on_the_way_falls_due_from_there(clock: Clock, schedule: Schedule) -> None:
    start, seen = clock.now(), list[float]()

    def again() -> None:
        seen.append(round(clock.now() - start))
        schedule.at(clock.now() + 3600, again)

    schedule.at(start + 3600, again)
    schedule.advance(4 * 3600 + 60)

    assert seen == [3600, 7200, 10_800, 14_400]


def test_at_one_time_the_first_asked_for_comes_first(clock: Clock, schedule: Schedule) -> None:
    at, seen = clock.now() + 1, list[int]()
    for number in range(5):
        schedule.at(at, partial(seen.append, number))

    schedule.advance(2)

    assert seen == [0, 1, 2, 3, 4]


def test_a_cancelled_timer_does_not_ring(clock: Clock, schedule: Schedule) -> None:
    seen = list[str]()
    timer = schedule.at(clock.now() + 1, lambda: seen.append("rang"))

    timer.cancel()
    timer.cancel()
    schedule.advance(2)

    assert seen == []


def test_cancelled_timers_do_not_pile_up(clock: Clock, schedule: Schedule) -> None:
    for _ in range(10_000):
        schedule.at(clock.now() + 14_400, lambda: None).cancel()

    assert len(schedule._heap) < 2100
    assert len(schedule) == 0


def test_real_time_moves_it_too() -> None:
    async def wait() -> tuple[float, float]:
        clock, rang = Clock(), asyncio.Event()
        schedule = Schedule(clock)
        schedule.at(clock.now() + 3600, lambda: None)
        at = clock.now() + 0.05
        schedule.at(at, rang.set)
        await asyncio.wait_for(rang.wait(), 5)
        return clock.now(), at

    now, at = asyncio.run(wait())

    assert now >= at


def test_nothing_is_left_after_a_clear(clock: Clock, schedule: Schedule) -> None:
    seen = list[str]()
    schedule.at(clock.now() + 1, lambda: seen.append("rang"))

    schedule.clear()
    schedule.advance(2)

    assert seen == []
