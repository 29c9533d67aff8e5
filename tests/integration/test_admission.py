"""A signed message runs once, by the one clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.admission import Admission

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

HOUR = timedelta(hours=1)


@pytest.fixture
def admission(client: Any, keys: Keys) -> Admission:
    return Admission(client, keys, HOUR)


def now(clock: MovableClock) -> int:
    return round(clock.now().timestamp() * 1000)


def test_a_second_copy_does_not_run_neither_before_the_end_of_the_first_nor_after(
    admission: Admission, clock: MovableClock
) -> None:
    at = now(clock)

    assert admission.verdict("a", at, came_back=False) == "run"
    assert admission.verdict("a", at, came_back=False) == "replayed"
    admission.finished("a")
    assert admission.verdict("a", at, came_back=False) == "replayed"
    assert admission.verdict("b", at, came_back=False) == "run"


def test_whoever_lost_the_answer_asks_again_and_is_told_the_same_and_no_copy_is(
    admission: Admission, clock: MovableClock, client: Any, keys: Keys
) -> None:
    at = now(clock)

    asked = [admission.verdict("a", at, came_back=False, asked=token) for token in ("mine", "mine", "another's")]

    assert asked == ["run", "run", "replayed"]
    admission.finished("a", "mine")
    assert admission.verdict("a", at, came_back=False, asked="mine") == "replayed"
    assert not client.exists(keys.signed_begun)


def test_what_came_back_unfinished_runs_again_and_what_was_finished_does_not(
    admission: Admission, clock: MovableClock
) -> None:
    at = now(clock)
    admission.verdict("a", at, came_back=False)

    assert admission.verdict("a", at, came_back=True) == "run"
    admission.finished("a")
    assert admission.verdict("a", at, came_back=True) == "done"


def test_what_is_older_than_is_remembered_never_runs(
    admission: Admission, clock: MovableClock, client: Any, keys: Keys
) -> None:
    at = now(clock)
    admission.verdict("a", at, came_back=False)
    admission.verdict("b", at, came_back=False)
    admission.finished("b")

    clock.advance(HOUR + timedelta(seconds=1))

    assert [admission.verdict(name, at, came_back=False) for name in "abc"] == ["old", "old", "old"]
    assert not client.exists(keys.signed_begun, keys.signed_finished)


def test_a_signers_clock_may_be_fast_by_five_minutes_and_no_more(admission: Admission, clock: MovableClock) -> None:
    assert admission.verdict("a", now(clock) + 290_000, came_back=False) == "run"
    assert admission.verdict("b", now(clock) + 310_000, came_back=False) == "early"


def test_finishing_what_was_never_begun_changes_nothing(admission: Admission, client: Any, keys: Keys) -> None:
    admission.finished("a")

    assert not client.exists(keys.signed_finished)
