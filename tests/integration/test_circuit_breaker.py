"""The breaker as an object and as a decorator, on the real server, with the movable clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.breaker_rules import BreakerRules
from tasks.utils.breakers import Breakers
from tasks.utils.circuit_breaker import CircuitBreaker, CircuitOpenError
from tasks.utils.connect import connect
from tasks.utils.error_handler import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

NOWHERE = "redis://127.0.0.1:1/0"
Made = Any


@pytest.fixture
def make(client: Any, keys: Keys) -> Callable[..., CircuitBreaker]:
    def make(name: str = "https://api.example.com:443", **given: Any) -> CircuitBreaker:
        return CircuitBreaker(name, client, keys, **{"failure_threshold": 3, "timeout": 60, **given})

    return make


@pytest.fixture
def breakers(client: Any, keys: Keys) -> Breakers:
    return Breakers(client, keys)


def fail(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(TransientError, match="no answer"), breaker.guard():
            raise TransientError("no answer")


def answer(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with breaker.guard():
            pass


def test_as_many_failures_as_the_threshold_says_open_it_for_everybody(make: Made) -> None:
    fail(make(), 3)

    with pytest.raises(
        CircuitOpenError, match=r"has not answered since \d\d:\d\d:\d\dZ; it is asked again in 60 s"
    ) as shut:
        make().enter()

    assert shut.value.retry_after == pytest.approx(60, abs=1)
    assert isinstance(shut.value, TransientError)


def test_an_open_breaker_makes_no_call(make: Made) -> None:
    breaker = make()
    fail(breaker, 3)

    with pytest.raises(CircuitOpenError), breaker.guard():
        pytest.fail("it was called")

    assert breaker.counts == {"failed": 3, "shut": 1}


def test_failures_of_different_windows_are_not_added_up(make: Made, clock: MovableClock) -> None:
    fail(make(), 2)
    clock.advance(timedelta(minutes=2))
    fail(make(), 2)

    answer(make())


def test_failures_among_many_answers_do_not_open_it(make: Made) -> None:
    fail(make())
    answer(make(), 5)
    fail(make(), 3)
    answer(make())
    fail(make())

    answer(make())


def test_after_its_pause_one_call_asks_and_its_answer_closes_it(
    make: Made, clock: MovableClock, breakers: Breakers
) -> None:
    fail(make(), 3)
    clock.advance(timedelta(seconds=60))
    probe = make().enter()
    assert probe.is_probe
    with pytest.raises(CircuitOpenError):
        make().enter()

    make().leave(probe)

    assert not make().enter().is_probe
    assert breakers.list() == []
    assert [change.state for change in breakers.history()] == ["closed", "half_open", "open"]


def test_the_pause_grows_with_every_probe_that_fails_up_to_its_longest(make: Made, clock: MovableClock) -> None:
    given = {"rules": BreakerRules(longest_pause=timedelta(minutes=3))}
    fail(make(**given), 3)
    pauses = []
    for _ in range(4):
        with pytest.raises(CircuitOpenError) as shut:
            make().enter()
        pauses.append(round(shut.value.retry_after or 0))
        clock.advance(timedelta(seconds=pauses[-1]))
        fail(make(**given))

    assert pauses == [60, 120, 180, 180]


def test_a_probe_whose_process_died_is_given_again_after_its_lease(make: Made, clock: MovableClock) -> None:
    fail(make(), 3)
    clock.advance(timedelta(seconds=60))
    lost = make().enter()
    clock.advance(timedelta(seconds=29))
    with pytest.raises(CircuitOpenError):
        make().enter()
    clock.advance(timedelta(seconds=1))

    second = make().enter()
    make().leave(lost, TransientError("so late that it counts no longer"))

    assert second.is_probe
    make().leave(second)
    answer(make())


def test_a_probe_that_tells_nothing_leaves_it_to_the_next(make: Made, clock: MovableClock) -> None:
    fail(make(), 3)
    clock.advance(timedelta(seconds=60))

    with pytest.raises(ZeroDivisionError), make().guard():
        1 / 0  # noqa: B018 - our own fault, not the endpoint's

    assert make().enter().is_probe


def test_what_began_before_it_opened_neither_closes_nor_prolongs_it(make: Made, clock: MovableClock) -> None:
    early, other = make().enter(), make().enter()
    fail(make(), 3)
    clock.advance(timedelta(seconds=30))

    make().leave(early)
    make().leave(other, TransientError("no answer"))

    with pytest.raises(CircuitOpenError) as shut:
        make().enter()
    assert shut.value.retry_after == pytest.approx(30, abs=1)


def test_a_slow_answer_is_a_failure(make: Made) -> None:
    answer(make(rules=BreakerRules(slow_after=timedelta(0))), 3)

    with pytest.raises(CircuitOpenError):
        make().enter()


def test_a_clock_set_back_does_not_keep_it_open(make: Made, clock: MovableClock) -> None:
    fail(make(), 3)
    clock.advance(timedelta(hours=-1))

    assert make().enter().is_probe
    with pytest.raises(CircuitOpenError):
        make().enter()


def test_a_decorated_function_has_a_breaker_of_its_own(client: Any, keys: Keys) -> None:
    calls = []

    @CircuitBreaker(client=client, keys=keys, failure_threshold=2, timeout=60)
    def ask(what: str) -> str:
        """Ask."""
        calls.append(what)
        raise TransientError("no answer")

    for _ in range(4):
        with pytest.raises(TransientError):
            ask("x")

    assert calls == ["x", "x"]
    assert (ask.__name__, ask.__doc__) == ("ask", "Ask.")
    [view] = Breakers(client, keys).list()
    assert view.name.endswith("test_a_decorated_function_has_a_breaker_of_its_own.<locals>.ask")


def test_a_decorated_coroutine_is_guarded_as_well(client: Any, keys: Keys) -> None:
    @CircuitBreaker(client=client, keys=keys, failure_threshold=1, timeout=60)
    async def ask(*, answers: bool) -> str:
        await asyncio.sleep(0)
        if not answers:
            raise TransientError("no answer")
        return "yes"

    assert asyncio.run(ask(answers=True)) == "yes"
    with pytest.raises(TransientError, match="no answer"):
        asyncio.run(ask(answers=False))

    with pytest.raises(CircuitOpenError):
        asyncio.run(ask(answers=True))


def test_while_redis_is_away_calls_go_through_and_are_counted(keys: Keys) -> None:
    breaker = CircuitBreaker("https://api.example.com:443", connect(NOWHERE), keys, failure_threshold=1, timeout=60)

    fail(breaker, 2)
    answer(breaker)

    assert breaker.counts == {"failed": 2, "answered": 1, "unguarded": 6}


def test_who_forces_it_open_or_closed_is_known_and_it_ends_by_itself(
    make: Made, breakers: Breakers, clock: MovableClock
) -> None:
    breakers.force(make().name, "open", timedelta(minutes=30), "ann", "PagerDuty said so")
    with pytest.raises(CircuitOpenError, match="has been switched off by hand"):
        make().enter()
    [view] = breakers.list()
    assert (view.state, view.forced_by, view.forced_why) == ("forced_open", "ann", "PagerDuty said so")

    clock.advance(timedelta(minutes=30))

    answer(make())
    assert breakers.list() == []
    [change] = breakers.history()
    assert (change.state, change.author, change.reason) == ("forced_open", "ann", "PagerDuty said so")


def test_forced_closed_it_lets_everything_through_whatever_fails(make: Made, breakers: Breakers) -> None:
    fail(make(), 3)
    breakers.force(make().name, "closed", timedelta(minutes=30), "ann", "it is a false alarm")

    fail(make(), 9)

    assert [view.state for view in breakers.list()] == ["forced_closed"]


def test_released_it_stands_as_it_did(make: Made, breakers: Breakers) -> None:
    fail(make(), 3)
    breakers.force(make().name, "closed", timedelta(minutes=30), "ann", "test")

    assert breakers.release(make().name, "bob")
    assert not breakers.release(make().name, "bob")

    with pytest.raises(CircuitOpenError):
        make().enter()
    assert [(change.state, change.author) for change in breakers.history()][:2] == [
        ("released", "bob"),
        ("forced_closed", "ann"),
    ]


def test_the_history_keeps_the_last_thousand(make: Made, breakers: Breakers, client: Any, keys: Keys) -> None:
    for number in range(1300):
        breakers.force(make().name, "closed", timedelta(minutes=30), "ann", str(number))

    assert 1000 <= client.xlen(keys.breaker_events) < 1300
    assert breakers.history(2)[0].reason == "1299"
