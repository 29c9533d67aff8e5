"""Letters of messages that killed their workers: what is known of them, and what comes of them when they are replayed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tasks.notifications.letter_filter import LetterFilter
from tests.acceptance.letter_kit import REST, ids, poisoned
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from tasks.notifications.dead_letters import DeadLetters
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox


def test_a_poison_letter_knows_that_it_was_resolved_after_its_message_came(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    seen = str(clock.now_ms())
    clock.advance(timedelta(minutes=1))
    pipeline.submit(alert("disk"), alert("disk", "resolve"))
    [dead] = poisoned(pipeline, alert("disk"), seen=seen)

    letter = letters.get(dead)
    report = pipeline.delivery.replay([dead])
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert (letter.meanwhile, letter.service, letter.summary) == ("resolved", "shop", "disk is in trouble")
    assert "resolved meanwhile" in report.refused[dead]
    assert pipeline.state(dead) == "suppressed resolved_before_send"
    assert sandbox.log() == []


def test_a_poison_trigger_gives_way_to_a_newer_one_of_its_alert(
    pipeline: Pipeline, clock: MovableClock, letters: DeadLetters
) -> None:
    [dead] = poisoned(pipeline, alert("disk", summary="old"))
    clock.advance(timedelta(minutes=1))
    [new] = pipeline.submit(alert("disk", summary="new"))

    meanwhile = letters.get(dead).meanwhile
    pipeline.delivery.replay([dead])

    assert meanwhile == "overtaken"
    assert (pipeline.state(dead), pipeline.event(dead)["into"]) == ("merged superseded", new.id)


def test_a_poison_resolve_still_ends_its_alert_when_it_is_replayed(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(timedelta(minutes=1))
    [dead] = poisoned(pipeline, alert("disk", "resolve"))

    meanwhile = letters.get(dead).meanwhile
    pipeline.delivery.replay([dead])
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert meanwhile == ""
    assert [incident["status"] for incident in sandbox.incidents()] == ["resolved"]


def test_a_poison_resolve_does_not_end_what_began_after_it(
    pipeline: Pipeline, clock: MovableClock, letters: DeadLetters
) -> None:
    [dead] = poisoned(pipeline, alert("disk", "resolve"))
    clock.advance(timedelta(minutes=1))
    pipeline.submit(alert("disk"))

    meanwhile = letters.get(dead).meanwhile
    pipeline.delivery.replay([dead])

    assert meanwhile == "overtaken"
    assert pipeline.state(dead) == "suppressed overtaken"


def test_a_poison_trigger_goes_out_when_it_is_replayed_and_is_a_letter_like_others_when_it_dies_again(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    [dead] = poisoned(pipeline, alert("disk"))
    pipeline.delivery.replay([dead])
    pipeline.alerts.drain_inbox()

    for key in (PRIMARY_KEY, STANDBY_KEY):
        sandbox.fault(kind="reject", key=key)
    pipeline.deliver()
    again = letters.get(dead)
    sandbox.heal()
    clock.advance(REST)
    pipeline.delivery.replay([dead])
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert (again.meanwhile, again.channel) == ("", "standby")
    assert pipeline.state(dead).startswith("sent")
    assert len(sandbox.incidents()) == 1


def test_what_a_poison_message_carried_is_told_although_nothing_in_it_is_sure(
    pipeline: Pipeline, letters: DeadLetters
) -> None:
    odd = [7, None, {"payload": ["x"]}, {"event_action": ["trigger"], "dedup_key": 5, "service": {"a": 1}}]
    dead = poisoned(pipeline, *odd)

    assert sorted(ids(letters.walk())) == dead
    assert all(letter.service == "" for letter in letters.walk(LetterFilter(reason="poison")) if letter.id != "bad:2")
