"""What becomes of an alert: delivered, merged, suppressed by a named rule, or dead-lettered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.pipeline import Pipeline, alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox


def test_an_accepted_alert_is_delivered_once(pipeline: Pipeline, sandbox: Sandbox) -> None:
    [decision] = pipeline.submit(alert("disk"))

    assert pipeline.deliver() == 1

    assert decision.state == "queued"
    assert pipeline.state(decision.id) == "sent primary"
    assert pipeline.steps(decision.id) == ["accepted", "attempt", "sent"]
    assert [i["title"] for i in sandbox.incidents()] == ["disk is in trouble"]


def test_an_event_from_the_inbox_takes_the_same_way(pipeline: Pipeline, sandbox: Sandbox) -> None:
    ids = pipeline.receive(alert("disk"), alert("cpu"))

    assert pipeline.alerts.drain_inbox().drained == 2
    assert pipeline.deliver() == 2

    assert pipeline.steps(ids[0]) == ["received", "accepted", "attempt", "sent"]
    assert len(sandbox.incidents()) == 2


def test_the_same_message_twice_is_one_alert(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.submit(alert("disk"), message="m1")
    pipeline.submit(alert("disk"), message="m1")

    pipeline.deliver()

    assert len(sandbox.log()) == 1
    assert pipeline.steps("m1:0") == ["accepted", "attempt", "sent"]


def test_a_repeat_within_the_window_is_merged_and_after_it_is_sent_again(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    [first] = pipeline.submit(alert("disk"))
    [repeat] = pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(timedelta(minutes=5))
    [later] = pipeline.submit(alert("disk"))
    pipeline.deliver()

    assert (repeat.state, repeat.reason, repeat.into) == ("merged", "duplicate", first.id)
    assert pipeline.state(later.id) == "sent primary"
    assert [e["outcome"] for e in sandbox.log()] == ["opened", "updated"]


def test_news_of_an_open_alert_is_sent(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.submit(alert("disk", summary="disk at 80 %"))
    pipeline.deliver()
    pipeline.submit(alert("disk", summary="disk at 99 %"))
    pipeline.deliver()

    assert [e["outcome"] for e in sandbox.log()] == ["opened", "updated"]


def test_news_that_is_overtaken_before_it_was_sent_is_merged_into_the_newer(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    [older] = pipeline.submit(alert("disk", summary="disk at 80 %"))
    [newer] = pipeline.submit(alert("disk", summary="disk at 99 %"))
    pipeline.deliver()

    assert pipeline.state(older.id) == "merged superseded"
    assert pipeline.event(older.id)["into"] == newer.id
    assert [e["summary"] for e in sandbox.log()] == ["disk at 99 %"]


def test_trigger_acknowledge_and_resolve_arrive_in_order(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.submit(alert("disk"), alert("disk", "acknowledge"))
    pipeline.deliver()
    pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()

    assert [e["outcome"] for e in sandbox.log()] == ["opened", "acknowledged", "resolved"]


def test_an_alert_resolved_before_it_was_sent_wakes_nobody(pipeline: Pipeline, sandbox: Sandbox) -> None:
    [trigger, resolve] = pipeline.submit(alert("disk"), alert("disk", "resolve"))
    pipeline.deliver()

    assert pipeline.state(trigger.id) == "suppressed resolved_before_send"
    assert pipeline.state(resolve.id) == "suppressed nothing_was_sent"
    assert sandbox.log() == []


def test_a_resolve_of_something_unknown_is_passed_on(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.submit(alert("opened-elsewhere", "resolve"))
    pipeline.deliver()

    assert [e["outcome"] for e in sandbox.log()] == ["dropped"]


def test_an_unknown_service_makes_a_dead_letter_that_says_how_to_mend_it(pipeline: Pipeline) -> None:
    [decision] = pipeline.submit(alert("disk") | {"service": "shoop"})

    assert (decision.state, decision.reason) == ("dead", "unknown_service")
    assert "shoop" in decision.detail
    assert "shop" in decision.detail


def test_a_dead_letter_is_no_reason_to_merge_the_next_alert(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="reject", status=401, count=1)
    pipeline.submit(alert("disk") | {"service": "solo"})
    pipeline.deliver()
    clock.advance(timedelta(minutes=11))
    [again] = pipeline.submit(alert("disk") | {"service": "solo"})
    pipeline.deliver()

    assert pipeline.state(again.id) == "sent primary"


def test_long_dedup_keys_are_hashed_on_the_wire_and_stay_one_alert(pipeline: Pipeline, sandbox: Sandbox) -> None:
    long_key = "k" * 300
    pipeline.submit(alert(long_key))
    pipeline.deliver()
    pipeline.submit(alert(long_key, "resolve"))
    pipeline.deliver()

    assert [e["outcome"] for e in sandbox.log()] == ["opened", "resolved"]
    assert len(sandbox.log()[0]["dedup_key"]) <= 255


def test_a_long_lane_is_worked_off_in_bounded_steps(pipeline: Pipeline, sandbox: Sandbox) -> None:
    decisions = pipeline.submit(*(alert("disk", summary=f"disk at {n} bytes") for n in range(450)))
    while pipeline.deliver():
        continue

    assert [pipeline.state(d.id) for d in decisions[:-1]] == ["merged superseded"] * 449
    assert [e["summary"] for e in sandbox.log()] == ["disk at 449 bytes"]
