"""Who is called next, and when, while nobody answers."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.escalations.policy import (
    HAND_OVER,
    Hours,
    Policy,
    Step,
    Target,
    due_after,
    due_from,
    first_due,
    round_of,
    step,
    why_left_out,
)
from tests.searching import searched
from tests.unit.escalation_kit import MINUTE, SEVERITIES, a_step, hours, moments, policies, utc

NOON = utc("2026-11-26T12:00")  # a Thursday, 13:00 in Paris
PARIS = hours("Europe/Paris")
OVER = Step(HAND_OVER, 20 * MINUTE, (Target("pagerduty_policy", "PPOLICY"),))


def walk(policy: Policy, at: datetime) -> list[tuple[str, str, bool]]:
    """Every step's name, minutes since the beginning, and whether it is taken."""
    found, moment = [], at
    for taken in range(policy.length):
        following, due = step(policy, taken), due_after(policy, taken, moment)
        assert following is not None
        assert due is not None
        found.append((following.name, str((due - at) // MINUTE), why_left_out(policy, taken, due) is None))
        moment = due
    return found


def test_each_delay_counts_from_the_step_before() -> None:
    policy = Policy("p", (a_step("a", 5), a_step("b", 10), a_step("c")))

    assert walk(policy, NOON) == [("a", "5", True), ("b", "15", True), ("c", "15", True)]
    assert step(policy, 3) is None
    assert due_after(policy, 3, NOON) is None


def test_a_step_taken_late_leaves_the_next_one_its_whole_delay() -> None:
    policy = Policy("p", (a_step("a"), a_step("b", 10)))

    assert due_after(policy, 1, NOON + 90 * MINUTE) == NOON + 100 * MINUTE


def test_a_new_round_begins_after_its_own_delay_and_the_hand_over_comes_once() -> None:
    policy = Policy("p", (a_step("a", 5), a_step("b", 10)), repeats=1, repeat_after=30 * MINUTE, hand_over=OVER)

    assert [(name, minutes) for name, minutes, _ in walk(policy, NOON)] == [
        *(("a", "5"), ("b", "15")),
        *(("a", "45"), ("b", "55")),
        (HAND_OVER, "75"),
    ]
    assert [round_of(policy, taken) for taken in range(5)] == [1, 1, 2, 2, 2]


def test_steps_for_other_severities_are_not_there_at_all() -> None:
    policy = Policy(
        "p", (a_step("a", 5, severities=("critical",)), a_step("b", 30, severities=("warning",))), repeats=1
    )

    assert first_due(policy, NOON, "critical") == NOON + 5 * MINUTE
    assert first_due(policy, NOON, "warning") == NOON + 30 * MINUTE
    assert first_due(policy, NOON, "info") is None
    assert walk(policy.of("warning"), NOON) == [("b", "30", True), ("b", "45", True)]


def test_a_policy_with_nobody_for_a_severity_hands_nothing_over() -> None:
    policy = Policy("p", (a_step("a", severities=("critical",)),), hand_over=OVER)

    assert policy.of("info").length == 0


def test_a_step_that_waits_comes_when_its_hours_open_and_those_after_it_follow() -> None:
    policy = Policy("p", (a_step("a", 5, at=Hours(PARIS, inside=True, waits=True)), a_step("b", 10)))
    evening = utc("2026-11-27T18:00")  # Friday 19:00 in Paris

    first = due_after(policy, 0, evening)

    assert first == utc("2026-11-30T08:00")
    assert due_after(policy, 1, first) == utc("2026-11-30T08:10")


def test_a_step_that_does_not_wait_is_left_out_and_takes_its_time_all_the_same() -> None:
    policy = Policy("p", (a_step("a", 5, at=Hours(PARIS, inside=True, waits=False)), a_step("b", 10)))
    evening = utc("2026-11-27T18:00")

    assert walk(policy, evening) == [("a", "5", False), ("b", "15", True)]
    assert why_left_out(policy, 0, evening) == "office closed (Fri 19:00)"


def test_a_step_outside_of_hours_waits_for_their_end() -> None:
    policy = Policy("p", (a_step("night", at=Hours(PARIS, inside=False, waits=True)),))

    assert due_after(policy, 0, NOON) == utc("2026-11-26T17:00")


def test_a_late_step_is_late_and_not_outside_its_hours() -> None:
    policy = Policy("p", (a_step("a", at=Hours(PARIS, inside=True, waits=False)),))
    promised = utc("2026-11-26T16:59")

    assert why_left_out(policy, 0, promised) is None


def test_what_is_due_at_once_still_keeps_to_its_hours() -> None:
    policy = Policy("p", (a_step("a", 30, at=Hours(PARIS, inside=True, waits=True)), a_step("b", 30)))

    assert due_from(policy, 0, utc("2026-11-26T20:00")) == utc("2026-11-27T08:00")
    assert due_from(policy, 1, NOON) == NOON
    assert due_from(policy, 2, NOON) is None


@pytest.mark.parametrize("taken", [-1, 99])
def test_there_is_no_step_beyond_the_policy(taken: int) -> None:
    assert step(Policy("p", (a_step("a"),), hand_over=OVER), taken) is None


def test_frozen_texts_are_equal_where_policies_are_and_name_them() -> None:
    one, same = (Policy("p", (a_step("a", 5, at=Hours(hours("UTC"), inside=True, waits=True)),)) for _ in range(2))
    other = Policy("p", (a_step("a", 6),))

    assert one.to_json() == same.to_json()
    assert one.digest == same.digest != other.digest


@searched(50)
@given(policies())
def test_a_frozen_policy_thaws_equal(policy: Policy) -> None:
    thawed = Policy.from_json(policy.to_json())

    assert thawed == policy
    assert thawed.to_json() == policy.to_json()
    assert thawed.of("error") == policy.of("error")


@searched(50)
@given(policies(), moments, st.sampled_from(SEVERITIES))
def test_times_never_go_backwards_and_every_step_is_in_its_hours_or_left_out(
    policy: Policy, at: datetime, severity: str
) -> None:
    mine = policy.of(severity)
    moment = at

    for taken in range(mine.length):
        due, following = due_after(mine, taken, moment), step(mine, taken)
        assert due is not None
        assert following is not None
        assert due >= moment
        assert due.utcoffset() == timedelta()
        left_out = why_left_out(mine, taken, due) is not None
        assert following.hours is None or following.hours.fit(due) is not left_out
        if left_out and following.hours and following.hours.waits:
            assert due == due_from(mine, taken, due)  # hours that never come
        moment = due

    assert due_after(mine, mine.length, moment) is None
    assert first_due(policy, at, severity) == due_after(mine, 0, at)


@searched(40)
@given(policies(), moments, st.integers(0, 3000), st.integers(0, 3))
def test_who_begins_later_is_never_called_sooner(policy: Policy, at: datetime, later: int, taken: int) -> None:
    sooner, after = due_after(policy, taken, at), due_after(policy, taken, at + later * MINUTE)

    assert (sooner is None) == (after is None)
    if sooner and after and why_left_out(policy, taken, sooner) is None and why_left_out(policy, taken, after) is None:
        assert sooner <= after
