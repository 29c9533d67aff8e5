"""The limit of calls, which all processes share and PagerDuty has the last word on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.breakers import LimitViews
from tasks.utils.error_handler import PermanentError
from tasks.utils.rest.errors import ThrottledError
from tests.integration.rest.kit import TOKEN, Naps, hurried, rest_of, rest_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox

NOTHING = timedelta(0)
Made = Any


@pytest.fixture
def make(client: Any, keys: Keys, sandbox: Sandbox) -> Iterator[Callable[..., RestClient]]:
    """Clients as several processes have them. They wait for nothing, unless told to."""
    made = []

    def make(per_minute: int = 960, **changes: Any) -> RestClient:
        rest = rest_of(client, keys, sandbox.url, {"limits.rest_calls_per_minute": per_minute})
        made.append(rest)
        return hurried(rest).limited(**{"patience": NOTHING, **changes})

    yield make
    for rest in made:
        rest.close()


@pytest.fixture
def passing(clock: MovableClock, sandbox: Sandbox) -> Naps:
    """Sleep during which the clocks go on."""

    class Passing(Naps):
        def __call__(self, seconds: float) -> None:
            super().__call__(seconds)
            clock.advance(timedelta(seconds=seconds))
            sandbox.control("POST", "/clock", {"advance_seconds": seconds})

    return Passing([])


def calls_until_throttled(rest: RestClient) -> int:
    count = 0
    while True:
        try:
            list(rest.services.list())
        except ThrottledError:
            return count
        count += 1


def test_a_429_that_does_not_say_how_long_keeps_every_process_away_for_half_a_minute_at_least(
    make: Made, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="throttle", headers=False, count=1)

    with pytest.raises(ThrottledError) as caught:
        list(make().services.list())
    with pytest.raises(ThrottledError) as other:
        list(make().services.list())

    assert caught.value.retry_after is not None
    assert 30 <= caught.value.retry_after <= 60
    assert 20 <= other.value.retry_after <= caught.value.retry_after
    assert len(rest_requests(sandbox)) == 1
    clock.advance(timedelta(seconds=61))
    assert list(make().services.list()) == []


def test_a_429_is_left_alone_for_as_long_as_it_says(make: Made, sandbox: Sandbox) -> None:
    sandbox.fault(kind="throttle", headers=True)

    with pytest.raises(ThrottledError, match="come back in 30 s") as caught:
        list(make().services.list())

    assert caught.value.retry_after == 30
    assert caught.value.code == 2020


def test_a_429_that_passes_soon_is_waited_for(rest: RestClient, sandbox: Sandbox, passing: Naps) -> None:
    sandbox.control("POST", "/limits", {"rest_per_minute": 240})
    for _ in range(240):  # somebody else's calls with this key
        sandbox.http.get("/services", headers={"Authorization": f"Token token={TOKEN}"})
    sandbox.control("POST", "/clock", {"advance_seconds": 58})

    assert list(hurried(rest, passing).services.list()) == []

    assert rest_requests(sandbox)[240:] == [("GET", "/services", 429), ("GET", "/services", 200)]


def test_the_last_call_of_a_minute_keeps_all_from_asking_for_more(make: Made, sandbox: Sandbox) -> None:
    sandbox.control("POST", "/limits", {"rest_per_minute": 3})

    taken = calls_until_throttled(make()) + calls_until_throttled(make())

    assert taken == 3
    assert 429 not in [status for *_, status in rest_requests(sandbox)]


def test_processes_share_one_budget(make: Made) -> None:
    one, other = make(per_minute=80), make(per_minute=80)

    assert calls_until_throttled(one) >= 10
    assert calls_until_throttled(other) <= 1


def test_a_share_is_used_up_before_the_whole_is(make: Made) -> None:
    scan = make(per_minute=160, share=0.3)

    assert calls_until_throttled(scan) == pytest.approx(160 * 0.3 / 8, abs=2)
    assert calls_until_throttled(make(per_minute=160)) == pytest.approx(160 * 0.7 / 8, abs=3)


def test_shares_of_the_same_size_are_one(make: Made) -> None:
    calls_until_throttled(make(per_minute=160, share=0.3))

    assert calls_until_throttled(make(per_minute=160, share=0.3)) <= 1


def test_an_operation_that_pagerduty_limits_by_itself_does_not_stop_the_others(make: Made, sandbox: Sandbox) -> None:
    sandbox.fault(kind="throttle", headers=False, path="/oncalls", count=1)
    rest = make()

    for _ in range(2):
        with pytest.raises(ThrottledError) as caught:
            list(rest.oncalls.list())

    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 28
    assert list(rest.services.list()) == []
    assert [path for _, path, _ in rest_requests(sandbox)] == ["/oncalls", "/services"]


@pytest.mark.parametrize("share", [0, -1, 1.5])
def test_a_share_is_a_part_of_the_whole(make: Made, share: float) -> None:
    with pytest.raises(PermanentError, match="at most 1"):
        make(share=share)


def test_a_patient_caller_waits_for_its_turn(client: Any, keys: Keys, sandbox: Sandbox, passing: Naps) -> None:
    with rest_of(client, keys, sandbox.url, {"limits.rest_calls_per_minute": 60}) as made:
        rest = hurried(made, passing).limited(patience=timedelta(seconds=30))
        for _ in range(20):
            list(rest.services.list())

    assert len(passing.taken) >= 10


def test_the_name_of_the_limit_does_not_tell_the_key(make: Made, client: Any, keys: Keys) -> None:
    list(make().services.list())

    [view] = LimitViews(client, keys).list()

    assert view.name.startswith("rest:")
    assert not any(TOKEN in str(client.dump(key)) or TOKEN in key for key in client.keys("*"))
