"""Lists that are longer than PagerDuty lists, on the sandbox with its end at 10,000."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.rest.pages import TooLongError
from tests.integration.rest.kit import Naps, hurried, rest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox

DAY = datetime(2026, 3, 1, tzinfo=UTC)
BUSIEST = 17_500
COUNT = 10_500


@pytest.fixture
def patient(client: Any, keys: Keys, sandbox: Sandbox, clock: MovableClock) -> Iterator[RestClient]:
    """A client that waits for its turn, in no time."""

    class Passing(Naps):
        def __call__(self, seconds: float) -> None:
            super().__call__(seconds)
            clock.advance(timedelta(seconds=seconds))
            sandbox.control("POST", "/clock", {"advance_seconds": seconds})

    with rest_of(client, keys, sandbox.url) as made:
        yield hurried(made, Passing([])).limited(patience=timedelta(minutes=5))


def plant(sandbox: Sandbox, count: int, **planted: Any) -> None:
    sandbox.register("A" * 32, "Shop")
    sandbox.control("POST", "/incidents", {"count": count, "service": "Shop", **planted})


def plant_day(sandbox: Sandbox, count: int) -> None:
    plant(sandbox, count, since=DAY.isoformat(), until=(DAY + timedelta(days=1)).isoformat(), status="resolved")


@pytest.fixture
def busiest_day(sandbox: Sandbox) -> None:
    """As many incidents as somebody really had in one day."""
    plant_day(sandbox, BUSIEST)


@pytest.fixture
def busy_day(sandbox: Sandbox) -> None:
    """More incidents than PagerDuty lists."""
    plant_day(sandbox, COUNT)


@pytest.mark.usefixtures("busiest_day")
def test_17500_incidents_of_one_day_are_listed_completely_and_in_order(patient: RestClient, sandbox: Sandbox) -> None:
    listed = list(patient.incidents.list(DAY, DAY + timedelta(days=1)))

    numbers = [incident["incident_number"] for incident in listed]
    assert len(set(numbers)) == BUSIEST
    assert numbers == sorted(numbers)
    assert sandbox.count() < BUSIEST / 99 + 10
    assert {entry["status"] for entry in sandbox.log()} == {200}


@pytest.mark.usefixtures("busy_day")
def test_the_same_newest_first_and_from_everything_there_is(patient: RestClient) -> None:
    listed = patient.incidents.list(date_range="all", sort_by="created_at:desc")

    numbers = [incident["incident_number"] for incident in listed]
    assert len(numbers) == COUNT
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.usefixtures("busy_day")
def test_an_order_that_time_does_not_part_ends_with_an_error_at_10000(patient: RestClient) -> None:
    with pytest.raises(TooLongError, match="10,000"):
        list(patient.incidents.list(DAY, DAY + timedelta(days=1), sort_by="urgency:asc"))


def test_log_entries_are_listed_past_10000_newest_first(patient: RestClient, sandbox: Sandbox) -> None:
    plant(sandbox, 5_200, since=DAY.isoformat(), until=(DAY + timedelta(days=1)).isoformat(), status="acknowledged")

    entries = list(patient.log_entries.list(DAY, DAY + timedelta(days=2)))

    times = [entry["created_at"] for entry in entries]
    assert len({entry["id"] for entry in entries}) == len(entries) >= 10_400
    assert times == sorted(times, reverse=True)
