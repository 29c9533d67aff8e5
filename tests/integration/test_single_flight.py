"""What one at a time does, on the real server with the movable clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.scripts import Scripts
from tasks.utils.single_flight import BusyError, OvertakenError, SingleFlight

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

MINUTE = timedelta(minutes=1)


@pytest.fixture
def flights(client: Any, keys: Keys) -> SingleFlight:
    return SingleFlight(client, keys)


def test_a_second_caller_is_told_who_is_at_it_and_since_when(flights: SingleFlight, clock: MovableClock) -> None:
    began = clock.now()

    who = r"backup is being done already, by process \d+ on "
    with flights.alone("backup"), pytest.raises(BusyError, match=who), flights.alone("backup"):
        pytest.fail("two at once")

    with flights.alone("backup"), flights.alone("clean-up"):
        holders = flights.holders()
    assert list(holders) == ["backup", "clean-up"]
    assert began - MINUTE < holders["backup"].since <= clock.now()


def test_whoever_lost_the_answer_asks_again_and_is_not_told_that_he_is_busy(client: Any, keys: Keys) -> None:
    asking = ("flight_take", "backup", "me", 60_000)
    scripts = Scripts(client, keys)

    first, again, other = (scripts.run(*asking, asked) for asked in ("mine", "mine", "another's"))

    assert first == again
    assert (first[0], other[0]) == (1, 0)


def test_it_is_free_as_soon_as_the_first_one_has_ended_even_in_an_error(flights: SingleFlight) -> None:
    with pytest.raises(ZeroDivisionError), flights.alone("backup"):
        raise ZeroDivisionError

    with flights.alone("backup"):
        pass
    assert flights.holders() == {}


def test_a_holder_that_went_silent_is_overtaken_and_told_so(flights: SingleFlight, clock: MovableClock) -> None:
    with flights.alone("backup") as first:
        clock.advance(MINUTE)
        with flights.alone("backup") as second:
            with pytest.raises(OvertakenError):
                first.check()
            second.check()
            assert second.token > first.token
        with pytest.raises(OvertakenError):  # also when the second one has ended
            first.check()


def test_a_holder_renews_by_itself(flights: SingleFlight, client: Any, keys: Keys) -> None:
    with flights.alone("backup", timedelta(milliseconds=150)) as flight:
        before = client.hget(keys.flights, "backup")
        end = flights.holders()["backup"].until
        while client.hget(keys.flights, "backup") == before:
            continue

        assert flights.holders()["backup"].until > end
        flight.check()


def test_a_holder_keeps_it_over_a_loss_of_the_server_unless_somebody_was_quicker(
    flights: SingleFlight, client: Any
) -> None:
    with flights.alone("backup") as first:
        client.flushall()
        first.check()
        with pytest.raises(BusyError), flights.alone("backup"):
            pytest.fail("two at once")

        client.flushall()
        with flights.alone("backup") as second:
            with pytest.raises(OvertakenError):
                first.check()
            second.check()


def test_a_clock_set_back_locks_nobody_out(flights: SingleFlight, clock: MovableClock) -> None:
    with flights.alone("backup"):
        clock.advance(timedelta(hours=-1))

        with flights.alone("backup"):
            pass


def test_what_ended_long_ago_is_forgotten_once_there_is_much_of_it(
    flights: SingleFlight, client: Any, keys: Keys, clock: MovableClock
) -> None:
    for number in range(502):
        with flights.alone(f"restore:{number}"):
            pass
    clock.advance(timedelta(days=2))

    with flights.alone("backup"):
        assert client.hkeys(keys.flights) == ["backup"]
