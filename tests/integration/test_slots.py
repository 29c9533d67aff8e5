"""Which message gets a scheduled run, on the real server with the movable clock."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.schedule_lines import schedule_lines
from tasks.utils.single_flight import BusyError, SingleFlight
from tasks.utils.slots import Call
from tests.integration.slot_kit import Machine

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAILY = "25 4 * * *"


@pytest.fixture
def machine(client: Any, keys: Keys, clock: MovableClock, tmp_path: Path) -> Machine:
    made = Machine(client, keys, clock, tmp_path)
    made.epochs.ask()
    made.set_clock("12:00:01")
    return made


def test_a_run_is_given_to_one_message_and_its_end_is_kept(machine: Machine) -> None:
    assert machine.run("one") == "run"
    assert machine.run("two") == "taken"
    assert machine.run("one") == "taken"  # it came back though it had finished

    last = machine.state().last
    assert (last.result, last.slot.minute, last.late_seconds) == ("ok", 0, pytest.approx(1, abs=0.9))
    assert [run.result for run in machine.states.runs("job")] == ["ok"]


def test_a_message_that_comes_back_unfinished_may_run_again(machine: Machine) -> None:
    due = machine.clock.now().replace(second=0, microsecond=0)
    with pytest.raises(KeyboardInterrupt), machine.slots.run(Call("job", due, "* * * * *"), "one"):
        raise KeyboardInterrupt  # the process dies

    assert machine.state().last.result == ""
    assert machine.run("two") == "taken"
    assert machine.run("one") == "again"


def test_after_a_long_silence_of_the_workers_one_run_is_made_not_a_hundred(machine: Machine) -> None:
    assert machine.run("first") == "run"
    start = machine.clock.now().replace(second=0, microsecond=0)
    machine.clock.advance(10 * MINUTE)

    verdicts = [machine.run(f"m{n}", due=start + n * MINUTE) for n in range(1, 11)]

    assert verdicts == ["run", *["taken"] * 9]
    missed = machine.state().missed
    assert (missed.since, missed.left_out, missed.is_caught_up) == (start + MINUTE, 9, True)


def test_a_failure_is_kept_with_its_reason_and_a_run_somebody_is_at_already_counts_as_skipped(machine: Machine) -> None:
    now = machine.clock.now().replace(second=0, microsecond=0)
    with pytest.raises(ValueError, match="no disk"), machine.slots.run(Call("job", now, ""), "one"):
        raise ValueError("no disk")
    assert (machine.state().last.result, machine.state().last.detail) == ("failed", "no disk")

    flights = SingleFlight(machine.client, machine.keys)
    machine.clock.advance(MINUTE)
    call = Call("job", now + MINUTE, "")
    with flights.alone("job"), pytest.raises(BusyError), machine.slots.run(call, "two"), flights.alone("job"):
        pytest.fail("two at once")
    assert machine.state().last.result == "skipped"
    assert "is being done already" in machine.state().last.detail


def test_what_rests_is_skipped_for_good_until_it_is_resumed_or_its_time_is_over(machine: Machine) -> None:
    machine.states.pause("job", "ada", "the disk is being changed", machine.clock.now() + 2 * MINUTE)

    assert machine.run("one") == "paused"
    assert (machine.state().last.result, machine.state().last.detail) == (
        "skipped",
        "paused: the disk is being changed",
    )
    machine.clock.advance(MINUTE)
    assert machine.run("two") == "paused"
    machine.clock.advance(MINUTE)
    assert machine.run("three") == "run"

    machine.states.pause("job", "ada", "again", None)
    machine.clock.advance(MINUTE)
    assert machine.run("four") == "paused"
    assert machine.states.resume("job", "bob")
    assert not machine.states.resume("job", "bob")
    assert machine.run("five") == "taken"
    machine.clock.advance(MINUTE)
    assert machine.run("six") == "run"


def test_a_run_somebody_asks_for_is_made_also_while_the_entry_rests_and_stands_for_no_slot(machine: Machine) -> None:
    machine.states.pause("job", "ada", "why not", None)
    with machine.slots.run(Call("job", None, "* * * * *"), "asked") as verdict:
        assert verdict == "run"

    assert machine.run("one") == "paused"
    assert [run.slot is None for run in machine.states.runs("job")] == [False, True]


def test_a_missed_run_is_called_for_by_one_watcher_once_and_again_if_nobody_comes(machine: Machine) -> None:
    machine.run("first", DAILY)
    machine.set_clock("04:25:10")
    assert machine.watch(DAILY) == "awaited"
    machine.clock.advance(timedelta(seconds=15))

    assert [machine.watch(DAILY), machine.watch(DAILY)] == ["call", "called"]
    machine.clock.advance(2 * MINUTE)
    assert machine.watch(DAILY) == "call"
    assert machine.run("late", DAILY) == "run"
    assert machine.watch(DAILY) == "well"


def test_runs_of_three_days_are_made_up_for_by_one(machine: Machine) -> None:
    machine.set_clock("04:25:01")
    machine.run("first", DAILY)
    for _ in range(3):
        machine.set_clock("05:00:00")

    assert machine.watch(DAILY) == "call"
    assert machine.run("late", DAILY) == "run"
    assert machine.watch(DAILY) == "well"
    assert machine.state().missed.left_out == 2
    assert machine.state().last.late_seconds == pytest.approx(35 * 60, abs=5)


def test_a_run_missed_for_longer_than_its_window_is_given_up_and_said(machine: Machine) -> None:
    machine.set_clock("04:25:01")
    machine.run("first", DAILY)
    machine.set_clock("07:00:00")

    assert [machine.watch(DAILY), machine.watch(DAILY)] == ["given_up", "well"]
    assert machine.run("late", DAILY) == "taken"
    missed = machine.state().missed
    assert (missed.left_out, missed.is_caught_up) == (1, False)
    assert machine.states.runs("job")[0].result == "missed"


def test_a_message_that_comes_after_its_window_makes_no_run(machine: Machine) -> None:
    machine.run("first", DAILY)
    machine.set_clock("04:29:00")

    assert machine.run("late", DAILY, window=timedelta(0)) == "late"
    machine.set_clock("04:26:00")
    assert machine.watch(DAILY, timedelta(0)) == "awaited"
    assert machine.run("busy", DAILY, window=timedelta(0)) == "run"


def test_what_was_due_before_an_entry_was_known_or_by_another_expression_is_not_expected(machine: Machine) -> None:
    assert [machine.watch(DAILY), machine.watch(DAILY)] == ["new", "well"]

    assert [machine.watch("0 11 * * *"), machine.watch("0 11 * * *")] == ["new", "well"]
    machine.set_clock("11:00:30")
    assert machine.watch("0 11 * * *") == "call"


def test_a_run_that_was_made_is_not_made_again_after_a_loss_of_the_server(machine: Machine) -> None:
    assert machine.run("one") == "run"
    machine.lose_everything()

    assert machine.run("two") == "taken"
    assert machine.watch() == "settling"
    machine.clock.advance(timedelta(seconds=30))
    assert machine.watch() == "well"
    machine.clock.advance(MINUTE / 2)
    assert machine.run("three") == "run"


def test_a_run_the_server_lost_before_anybody_made_it_is_made_once_that_is_sure(machine: Machine) -> None:
    machine.run("first")
    machine.clock.advance(MINUTE)
    machine.lose_everything()

    assert machine.run("one") == "settling"
    machine.clock.advance(timedelta(seconds=25))
    assert machine.watch() == "call"
    assert [machine.run("two"), machine.run("three")] == ["run", "taken"]


def test_a_claim_that_a_crash_took_from_the_server_is_known_to_the_machine_that_made_it(
    machine: Machine, client: Any, keys: Keys
) -> None:
    assert machine.run("one") == "run"
    client.delete(keys.schedule("job"))  # its last second

    assert machine.run("two") == "taken"
    assert machine.state().last.result == "ok"


def test_another_machine_that_made_the_run_says_so_in_time(
    machine: Machine, client: Any, keys: Keys, clock: MovableClock, tmp_path: Path
) -> None:
    other = Machine(client, keys, clock, tmp_path / "other")
    assert other.run("one") == "run"
    machine.lose_everything()
    machine.clock.advance(timedelta(seconds=1))

    assert machine.run("two") == "settling"
    other.epochs.ask()
    machine.clock.advance(timedelta(seconds=25))
    assert machine.run("two") == "taken"


def test_a_pause_outlives_a_loss_of_the_server_and_so_does_its_end(machine: Machine) -> None:
    machine.run("first")
    machine.states.pause("job", "ada", "no more of it", None)
    machine.lose_everything()
    machine.epochs.ask()
    assert machine.state().pause.why == "no more of it"

    machine.states.resume("job", "ada")
    machine.lose_everything()
    machine.epochs.ask()
    assert machine.state().pause is None
    assert machine.state().last.slot == machine.clock.now().astimezone(UTC).replace(second=0, microsecond=0)


def test_the_last_run_is_also_one_somebody_asked_for(machine: Machine) -> None:
    assert machine.run("one") == "run"
    with machine.slots.run(Call("job", None, "* * * * *"), "asked"):
        machine.slots.progress("job", "3 of 9 files")

    assert machine.state().last.slot is None
    assert machine.state().progress == ""
    machine.clock.advance(MINUTE)
    machine.run("two")
    assert machine.state().last.slot is not None


def test_health_tells_of_what_failed_last_and_of_what_rests(machine: Machine) -> None:
    def states() -> list[str]:
        return [line.state for line in schedule_lines(machine.states, machine.clock.now())]

    assert states() == ["skip", "ok"]
    due = machine.clock.now().replace(second=0, microsecond=0)
    with pytest.raises(ValueError, match="no disk"), machine.slots.run(Call("job", due, ""), "one"):
        raise ValueError("no disk")
    machine.states.pause("other", "ada", "new disk", None)

    assert states() == ["warn", "warn"]
    failed, resting = schedule_lines(machine.states, machine.clock.now())
    assert failed.value == "1 failed at their last run (job: no disk)"
    assert resting.value == "1 rest (other: new disk (ada))"
    machine.clock.advance(MINUTE)
    machine.run("two")
    machine.states.resume("other", "ada")
    assert states() == ["ok", "ok"]
