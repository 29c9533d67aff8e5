"""A plan of faults is made from a seed, and is data."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.chaos.kit.faults import SERVER_KINDS, kinds_for
from tests.chaos.kit.plan import Strike, from_text, make_plan, to_text
from tests.chaos.kit.stage import Shape

KINDS = kinds_for(Shape(alert=2, delivery=2, maintenance=1))
SEEDS = range(20)


def plan(seed: int) -> list[Strike]:
    return make_plan(seed, 600, 110, KINDS)


def test_the_same_seed_makes_the_same_plan_and_another_seed_another() -> None:
    assert plan(1) == plan(1)
    assert plan(1) != plan(2)


def test_a_plan_can_be_written_down_and_read_again() -> None:
    assert from_text(to_text(plan(1))) == plan(1)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_has_its_turn(seed: int) -> None:
    assert {strike.kind for strike in plan(seed)} == set(KINDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_server_has_twenty_seconds_between_two_faults(seed: int) -> None:
    times = [strike.at for strike in plan(seed) if strike.kind in SERVER_KINDS]

    assert len(times) > 15
    assert all(later - earlier >= 20 for earlier, later in pairwise(times))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_place_has_two_faults_at_once(seed: int) -> None:
    ends: dict[str, float] = {}

    for strike in plan(seed):
        place = strike.target or KINDS[strike.kind].place
        assert strike.at >= ends.get(place, 0)
        ends[place] = strike.at + strike.seconds


def test_more_faults_than_there_is_time_for_are_refused() -> None:
    with pytest.raises(ValueError, match="ask for fewer"):
        make_plan(1, 20, 500, KINDS)


def test_a_fleet_without_a_process_has_no_faults_of_it() -> None:
    assert "maintenance killed" in KINDS
    assert "maintenance killed" not in kinds_for(Shape())
