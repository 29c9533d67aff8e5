"""The rate limiter on the real server, with the movable clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.breakers import LimitViews
from tasks.utils.connect import connect
from tasks.utils.error_handler import PermanentError
from tasks.utils.rate_limiter import Rate, RateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

NOWHERE = "redis://127.0.0.1:1/0"
NONE = timedelta(0)
MINUTE = timedelta(minutes=1)
Made = Any


@pytest.fixture
def make(client: Any, keys: Keys) -> Callable[..., RateLimiter]:
    """Limiters of one name, as several processes have them. One a minute, three at once."""

    def make(rate: Rate | None = None) -> RateLimiter:
        return RateLimiter("rest:k1", rate or Rate(MINUTE, 3), client, keys)

    return make


def test_as_many_as_the_burst_go_at_once_and_the_next_is_told_how_long_to_wait(make: Made) -> None:
    assert [make().acquire() for _ in range(3)] == [NONE] * 3

    assert 0.8 * MINUTE < make().acquire() <= MINUTE


def test_whoever_waits_as_long_as_told_may_go(make: Made, clock: MovableClock) -> None:
    while not (wait := make().acquire()):
        continue
    clock.advance(wait)

    assert make().acquire() == NONE


def test_a_call_may_cost_more_than_one(make: Made) -> None:
    assert make().acquire(2) == NONE
    assert make().acquire(2) > NONE
    assert make().acquire(1) == NONE


@pytest.mark.parametrize("cost", [0, -1, 4])
def test_a_cost_that_never_fits_is_an_error(make: Made, cost: int) -> None:
    with pytest.raises(PermanentError, match="1 to 3 can be taken at once"):
        make().acquire(cost)


def test_no_minute_has_more_than_the_limit_whenever_it_begins(make: Made, clock: MovableClock) -> None:
    limiter = make(Rate.within(960))
    start, taken = clock.now_ms(), []
    while (at := clock.now_ms() - start) < 150_000:
        if wait := limiter.acquire(4):
            clock.advance(wait)
        else:
            taken += [at] * 4

    most = max(sum(begin <= at < begin + 60_000 for at in taken) for begin in taken)
    assert 900 <= most <= 960


def test_an_answer_that_says_how_many_are_left_counts_for_all(make: Made) -> None:
    make().heed({"ratelimit-limit": "60", "ratelimit-remaining": "1", "ratelimit-reset": "30"})

    assert make().acquire() == NONE
    assert make().acquire() > NONE


def test_nothing_left_is_a_rest_until_the_reset(make: Made, clock: MovableClock) -> None:
    make().heed({"RateLimit-Remaining": "0", "RateLimit-Reset": "420"})
    assert 6.8 * MINUTE < make().acquire() <= 7 * MINUTE

    clock.advance(7 * MINUTE)

    assert make().acquire() in (NONE, timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [({"Retry-After": "480"}, 8), ({"ratelimit-reset": "540"}, 9), ({}, 1), ({"Retry-After": "soon"}, 1)],
)
def test_a_429_is_a_rest_for_as_long_as_it_asks(make: Made, headers: dict[str, str], minutes: float) -> None:
    make().heed(headers, 429)

    assert (minutes - 0.2) * MINUTE < make().acquire() <= minutes * MINUTE


def taken_in_a_minute(limiter: RateLimiter, clock: MovableClock) -> int:
    """Calls made by one who waits as long as told each time."""
    taken, until = 0, clock.now_ms() + 60_000
    while clock.now_ms() < until:
        if wait := limiter.acquire():
            clock.advance(wait)
        else:
            taken += 1
    return taken


def test_a_lower_limit_of_the_other_side_slows_down_until_it_says_otherwise(make: Made, clock: MovableClock) -> None:
    limiter = make(Rate.within(960))
    limiter.heed({"ratelimit-limit": "180", "ratelimit-remaining": "170"})
    while not limiter.acquire():
        continue
    assert 50 <= taken_in_a_minute(limiter, clock) <= 61

    limiter.heed({"ratelimit-limit": "960", "ratelimit-remaining": "900"})

    assert taken_in_a_minute(limiter, clock) > 700


def test_a_much_lower_limit_of_the_other_side_is_still_one_of_so_many_a_minute(make: Made, clock: MovableClock) -> None:
    make(Rate.within(960)).heed({"ratelimit-limit": "60", "ratelimit-remaining": "0", "ratelimit-reset": "5"})
    clock.advance(timedelta(seconds=5))

    assert make(Rate.within(960)).acquire() <= timedelta(seconds=3)


def test_a_clock_set_back_locks_nobody_out(make: Made, clock: MovableClock) -> None:
    while not make().acquire():
        continue
    make().heed({}, 429)
    clock.advance(timedelta(hours=-1))

    wait = make().acquire()
    assert wait <= MINUTE
    clock.advance(wait)
    assert make().acquire() == NONE


def test_coroutines_are_told_the_same(make: Made) -> None:
    assert asyncio.run(make().acquire_async(3)) == NONE
    assert asyncio.run(make().acquire_async()) > NONE


def test_while_redis_is_away_calls_go_through_and_are_counted(keys: Keys) -> None:
    limiter = RateLimiter("rest:k1", Rate(MINUTE), connect(NOWHERE), keys)

    assert [limiter.acquire(), limiter.acquire()] == [NONE, NONE]
    limiter.heed({}, 429)

    assert limiter.counts == {"taken": 2, "unlimited": 3}


def test_limits_can_be_listed(make: Made, client: Any, keys: Keys, clock: MovableClock) -> None:
    make().acquire(2)
    [view] = LimitViews(client, keys).list()
    assert (view.name, view.interval_ms, view.burst, view.left) == ("rest:k1", 60_000, 3, 1)

    make().heed({"Retry-After": "60"}, 429)

    [view] = LimitViews(client, keys).list()
    assert view.left == 0
    assert view.rests_until is not None
