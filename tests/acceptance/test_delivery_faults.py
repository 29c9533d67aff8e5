"""What becomes of an alert while PagerDuty refuses, throttles or is away, and when a worker dies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox


def test_an_outage_delays_an_alert_and_loses_nothing(pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.fault(kind="error", status=503)
    [decision] = pipeline.submit(alert("disk") | {"service": "solo"})
    pipeline.deliver()
    assert pipeline.state(decision.id) == "queued"

    sandbox.heal()
    clock.advance(timedelta(seconds=2))
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent primary"
    assert pipeline.steps(decision.id) == ["accepted", "attempt", "retry", "attempt", "sent"]


def test_past_its_deadline_an_alert_takes_the_next_channel_and_its_resolve_goes_everywhere_it_may_be_open(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="error", status=500, key=PRIMARY_KEY)
    [trigger] = pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(timedelta(seconds=61))
    pipeline.deliver()
    assert pipeline.state(trigger.id) == "sent standby"

    sandbox.heal()
    [resolve] = pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()
    pipeline.deliver()

    assert pipeline.state(resolve.id).startswith("sent")
    resolves = {e["routing_key"] for e in sandbox.log() if e["event_action"] == "resolve"}
    assert resolves == {PRIMARY_KEY, STANDBY_KEY}


def test_a_resolve_refused_where_the_alert_is_open_is_a_dead_letter_though_another_channel_took_it(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="reset", key=PRIMARY_KEY)
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(timedelta(seconds=61))
    pipeline.deliver()
    sandbox.heal()
    sandbox.fault(kind="reject", status=403, key=STANDBY_KEY)
    [resolve] = pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()
    assert pipeline.state(resolve.id) == "dead still_open"

    sandbox.heal()
    clock.advance(timedelta(minutes=11))
    pipeline.delivery.replay([resolve.id])
    pipeline.deliver()

    assert pipeline.state(resolve.id).startswith("sent")
    assert [i["status"] for i in sandbox.incidents()] == ["resolved"]


def test_a_refused_key_sends_the_alert_by_the_next_channel_at_once(pipeline: Pipeline, sandbox: Sandbox) -> None:
    sandbox.fault(kind="reject", status=403, key=PRIMARY_KEY)
    [first] = pipeline.submit(alert("disk"))
    pipeline.deliver()
    [second] = pipeline.submit(alert("cpu"))
    pipeline.deliver()

    assert pipeline.state(first.id) == "sent standby"
    assert pipeline.state(second.id) == "sent standby"
    assert len([e for e in sandbox.log() if e["routing_key"] == PRIMARY_KEY]) == 1


def test_a_key_refused_by_the_only_channel_makes_a_dead_letter_that_can_be_replayed(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="reject", status=401)
    [decision] = pipeline.submit(alert("disk") | {"service": "solo"})
    pipeline.deliver()
    assert pipeline.state(decision.id) == "dead key_rejected"

    sandbox.heal()
    clock.advance(timedelta(minutes=11))
    assert pipeline.delivery.replay([decision.id]).replayed == [decision.id]
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent primary"


def test_a_throttled_key_rests_and_holds_no_worker(pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.fault(kind="throttle", key=PRIMARY_KEY, count=1)
    [decision] = pipeline.submit(alert("disk") | {"service": "solo"})
    pipeline.deliver()
    pipeline.deliver()
    assert len(sandbox.log()) == 1

    clock.advance(timedelta(seconds=46))
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent primary"


def test_a_resolve_after_an_unclear_attempt_is_repeated_once_later(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="truncated", count=1)
    pipeline.submit(alert("disk") | {"service": "solo"})
    pipeline.deliver()
    clock.advance(timedelta(seconds=2))
    pipeline.deliver()
    pipeline.submit(alert("disk", "resolve") | {"service": "solo"})
    pipeline.deliver()
    clock.advance(timedelta(seconds=61))
    pipeline.deliver()
    clock.advance(timedelta(seconds=61))
    pipeline.deliver()

    assert [e["event_action"] for e in sandbox.log()][-2:] == ["resolve", "resolve"]
    assert [e["event_action"] for e in sandbox.log()].count("resolve") == 2


def test_a_new_trigger_cancels_the_repeat_of_an_older_resolve(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="truncated", count=1)
    pipeline.submit(alert("disk") | {"service": "solo"})
    pipeline.deliver()
    clock.advance(timedelta(seconds=2))
    pipeline.deliver()
    pipeline.submit(alert("disk", "resolve") | {"service": "solo"})
    pipeline.deliver()
    pipeline.submit(alert("disk") | {"service": "solo"})
    pipeline.deliver()
    clock.advance(timedelta(seconds=61))
    pipeline.deliver()

    assert sandbox.log()[-1]["event_action"] == "trigger"
    assert [i["status"] for i in sandbox.incidents()].count("triggered") == 1


def test_content_pagerduty_refuses_is_sent_once_more_in_minimal_form(pipeline: Pipeline, sandbox: Sandbox) -> None:
    sandbox.fault(
        kind="reject",
        status=400,
        count=1,
        body={"status": "invalid event", "message": "no", "errors": ["'custom_details' is odd"]},
    )
    [decision] = pipeline.submit(alert("disk", custom_details={"why": "x"}))
    pipeline.deliver()
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent primary"
    assert "adapted" in pipeline.steps(decision.id)


def test_a_row_that_kills_its_worker_again_and_again_is_dead_lettered(pipeline: Pipeline, clock: MovableClock) -> None:
    [decision] = pipeline.submit(alert("disk"))
    for _ in range(5):  # claimed and begun, then the worker is gone: no outcome
        token = "dead-worker"
        [claim] = pipeline.delivery._outbox.claim(1, timedelta(seconds=30), token)
        assert pipeline.delivery._outbox.begin([(claim, pipeline.delivery._plans["shop"])], token, alone=True).attempts
        clock.advance(timedelta(seconds=31))

    pipeline.deliver()

    assert pipeline.state(decision.id) == "dead poison"


def test_a_dead_workers_lane_falls_due_again(pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock) -> None:
    [decision] = pipeline.submit(alert("disk"))
    pipeline.delivery._outbox.claim(1, timedelta(seconds=30), "dead-worker")
    assert pipeline.deliver() == 0

    clock.advance(timedelta(seconds=30))

    assert pipeline.deliver() == 1
    assert pipeline.state(decision.id) == "sent primary"


def test_a_place_that_refuses_a_resolve_does_not_keep_it_from_the_others(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="error", status=500, key=PRIMARY_KEY)
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(timedelta(seconds=61))
    pipeline.deliver()
    sandbox.heal()
    sandbox.fault(kind="reject", status=403, key=PRIMARY_KEY)

    [resolve] = pipeline.submit(alert("disk", "resolve"))
    while pipeline.deliver():
        continue

    assert pipeline.state(resolve.id) == "sent standby"
    assert [i["status"] for i in sandbox.incidents()] == ["resolved"]


def test_a_place_that_is_down_does_not_hold_a_resolve_back_from_the_others(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="error", status=500, key=PRIMARY_KEY)
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(timedelta(seconds=61))
    pipeline.deliver()

    [resolve] = pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()
    clock.advance(timedelta(seconds=2))
    pipeline.deliver()
    assert [i["status"] for i in sandbox.incidents()] == ["resolved"]
    assert pipeline.state(resolve.id) == "queued"

    sandbox.heal()
    clock.advance(timedelta(minutes=2))
    pipeline.deliver()
    assert pipeline.state(resolve.id).startswith("sent")


def test_a_row_that_kills_its_worker_takes_no_others_along(pipeline: Pipeline) -> None:
    ids = pipeline.receive(*(alert(f"k{n}") for n in range(10)))
    inbox = pipeline.alerts._inbox
    for number in range(6):  # claimed, then the worker is gone
        inbox.claim(100, timedelta(0), f"dead-worker-{number}")

    pipeline.alerts.drain_inbox()

    assert pipeline.state(ids[0]) == "dead poison"
    assert {pipeline.state(event_id) for event_id in ids[1:]} == {"queued"}
