"""Escalations that wait, and go on with the time that was left; those a person skips or cancels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.acceptance.escalation_world import MINUTE, UID, Tower
from tests.pipeline import alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock


def test_a_paused_escalation_resumes_with_the_time_that_was_left(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert())
    clock.advance(2 * MINUTE)
    tower.desk.pause(["disk"], by="ann")
    clock.advance(60 * MINUTE)
    assert tower.advance() == 0

    tower.desk.resume(["disk"])

    assert tower.due_in() == 180


def test_a_pause_for_a_while_ends_by_itself(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert())
    clock.advance(2 * MINUTE)
    tower.desk.pause([UID], seconds=600)

    clock.advance(10 * MINUTE)
    tower.advance()

    assert tower.due_in() == 180


def test_a_silence_pauses_and_leaves_the_time_that_was_left(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert())
    clock.advance(2 * MINUTE)
    tower.silence("service=shop", minutes=20)
    clock.advance(3 * MINUTE)
    assert tower.advance() == 0
    assert tower.view().reason.startswith("silence:")

    clock.advance(17 * MINUTE)
    tower.advance()

    assert tower.due_in() == 180


def test_a_silence_that_is_ended_early_resumes_what_it_paused(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert())
    clock.advance(2 * MINUTE)
    rule = tower.silence("service=shop", minutes=20)
    clock.advance(3 * MINUTE)
    tower.advance()
    tower.silences.expire(rule.partition(":")[2], "ann")

    assert tower.audit().resumed == 1
    assert tower.due_in() == 180


def test_a_skipped_wait_takes_the_next_step_now(tower: Tower) -> None:
    tower.submit(alert())
    tower.desk.skip(["disk"])

    assert tower.advance() == 1


def test_a_cancelled_escalation_stays_over_and_its_alert_open(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert())
    tower.desk.cancel(["disk"])
    clock.advance(60 * MINUTE)

    assert (tower.advance(), tower.audit().started) == (0, 0)
    assert tower.state() == "cancelled by_hand"
