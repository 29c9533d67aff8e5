"""What must not happen at the edges: a page that waits behind another, comes after its resolve, or waits for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.alerts.acceptance import AlertRules
from tasks.alerts.service import AlertService
from tasks.utils.error_handler import ErrorHandler
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox


def test_news_does_not_put_off_the_next_channel(pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.fault(kind="error", status=500, key=PRIMARY_KEY)
    for seconds in range(0, 90, 30):
        pipeline.submit(alert("disk", summary=f"disk is full for {seconds} s"))
        pipeline.deliver()
        clock.advance(timedelta(seconds=30))
    pipeline.deliver()

    assert [e["summary"] for e in sandbox.log() if e["routing_key"] == STANDBY_KEY] == ["disk is full for 60 s"]


def test_news_goes_on_where_the_news_before_it_had_come_to(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="reject", status=403, key=PRIMARY_KEY)
    sandbox.fault(kind="error", status=500, key=STANDBY_KEY, count=1)
    pipeline.submit(alert("disk", summary="disk at 80 %"))
    pipeline.deliver()
    clock.advance(timedelta(minutes=11))
    sandbox.clear_log()

    pipeline.submit(alert("disk", summary="disk at 99 %"))
    pipeline.deliver()

    assert [e["routing_key"] for e in sandbox.log()] == [STANDBY_KEY]


def test_a_key_that_rests_does_not_hold_a_resolve_back_from_the_other_places(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="error", status=500, key=PRIMARY_KEY)
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(timedelta(seconds=61))
    pipeline.deliver()
    sandbox.heal()
    sandbox.fault(kind="throttle", key=PRIMARY_KEY, count=1)
    pipeline.submit(alert("cpu"))
    pipeline.deliver()

    [resolve] = pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()
    pipeline.deliver()

    assert [i["status"] for i in sandbox.incidents() if i["title"] == "disk is in trouble"] == ["resolved"]
    clock.advance(timedelta(seconds=46))
    pipeline.deliver()
    assert pipeline.state(resolve.id).startswith("sent")


def test_dead_letters_are_replayed_in_the_order_given(pipeline: Pipeline, sandbox: Sandbox) -> None:
    sent = [{**alert(f"k{n}", action), "service": "later"} for n in range(30) for action in ("trigger", "resolve")]
    dead = pipeline.submit(*sent)
    windows = {"shop": pipeline.window, "later": pipeline.window}
    pipeline.alerts = AlertService(pipeline.client, pipeline.keys, AlertRules(windows, "shop", 500, 5))

    pipeline.delivery.replay([one.id for one in dead])
    scores = [score for _, score in pipeline.client.zrange(pipeline.keys.inbox_due, 0, -1, withscores=True)]
    pipeline.alerts.drain_inbox()

    assert len(set(scores)) == len(dead)
    accepted = [
        e["e"] for _, e in pipeline.client.xrange(pipeline.keys.ledger) if e["s"] == "accepted" and e["r"] != "refused"
    ]
    assert accepted == [one.id for one in dead]


def test_an_alert_whose_service_is_no_longer_configured_anywhere_does_not_wait_for_ever(
    pipeline: Pipeline, clock: MovableClock
) -> None:
    [decision] = pipeline.submit(alert("disk"))
    pipeline.delivery._plans.pop("shop")
    pipeline.deliver()
    assert pipeline.state(decision.id) == "queued"

    clock.advance(timedelta(hours=1))
    pipeline.deliver()

    assert pipeline.state(decision.id) == "dead unknown_service"
    assert "shop" in pipeline.event(decision.id)["detail"]


def test_a_more_urgent_turn_of_an_alert_does_not_wait_out_the_rest_of_the_key(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    pipeline.client.hset(pipeline.keys.resting, "pause:kid-primary", clock.now_ms() + 600_000)
    pipeline.submit(alert("disk", severity="info"))
    pipeline.deliver()

    [urgent] = pipeline.submit(alert("disk", severity="critical"))
    pipeline.deliver()
    clock.advance(timedelta(seconds=61))
    pipeline.deliver()

    assert pipeline.state(urgent.id) == "sent standby"


def test_a_key_that_a_sender_put_into_a_message_is_not_kept(pipeline: Pipeline) -> None:
    key = "SECRET" * 5 + "00"

    [decision] = pipeline.submit({**alert("disk"), "routing_key": key, "service": None})

    assert decision.state == "dead"
    assert "disk" in pipeline.event(decision.id)["body"]
    assert not any(key in str(value) for value in _everything(pipeline.client))


def _everything(client: Any) -> list[Any]:
    found: list[Any] = []
    for name in client.scan_iter():
        kind = client.type(name)
        if kind == "hash":
            found += client.hvals(name)
        elif kind == "stream":
            found += [fields for _, fields in client.xrange(name)]
    return found


def test_an_answer_that_is_not_pagerdutys_is_no_refusal(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="reject", status=407, count=1, body={"a": "proxy"})
    [decision] = pipeline.submit({**alert("disk"), "service": "solo"})
    pipeline.deliver()
    clock.advance(timedelta(seconds=2))
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent primary"


def test_a_long_rest_of_the_key_does_not_outlast_the_patience_of_an_alert(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    pipeline.delivery._dispatch._channels["pagerduty"]._poster._throttle_pause_ms = 600_000  # type: ignore[attr-defined]
    sandbox.fault(kind="throttle", key=PRIMARY_KEY, headers=False)
    [decision] = pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(timedelta(seconds=61))
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent standby"


def test_a_replayed_trigger_whose_resolve_has_come_meanwhile_wakes_nobody(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="reject", status=401, count=1)
    [trigger] = pipeline.submit({**alert("disk"), "service": "solo"})
    pipeline.deliver()
    clock.advance(timedelta(minutes=11))
    pipeline.submit({**alert("disk", "resolve"), "service": "solo"})
    pipeline.deliver()
    sandbox.clear_log()

    report = pipeline.delivery.replay([trigger.id])
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert list(report.refused) == [trigger.id]
    assert pipeline.state(trigger.id) == "suppressed resolved_before_send"
    assert sandbox.log() == []


def test_the_sweep_calls_for_what_is_due_even_if_every_pump_has_died(pipeline: Pipeline) -> None:
    pipeline.submit(alert("disk"))
    pipeline.receive(alert("cpu"))
    pipeline.client.delete(pipeline.keys.hints, pipeline.keys.queue("delivery"), pipeline.keys.queue("alert"))

    pipeline.delivery.sweep()

    assert pipeline.client.llen(pipeline.keys.queue("delivery")) == 1
    assert pipeline.client.llen(pipeline.keys.queue("alert")) == 1


def test_a_flood_at_the_gateway_does_not_keep_task_messages_waiting_for_ever(pipeline: Pipeline) -> None:
    rules = AlertRules({"shop": pipeline.window}, "shop", 500, 5, drain_for=timedelta(0))
    pipeline.alerts = AlertService(pipeline.client, pipeline.keys, rules)
    pipeline.receive(*(alert(f"k{n}") for n in range(150)))
    pipeline.client.delete(pipeline.keys.queue("alert"))

    first = pipeline.alerts.drain_inbox().drained
    called = pipeline.client.llen(pipeline.keys.queue("alert"))
    second = pipeline.alerts.drain_inbox().drained

    assert (first, called, second) == (100, 1, 50)


def test_a_refused_alert_is_kept_among_the_errors(pipeline: Pipeline) -> None:
    errors = ErrorHandler(pipeline.client, pipeline.keys)
    rules = AlertRules({"shop": pipeline.window}, "shop", 500, 5)
    service = AlertService(pipeline.client, pipeline.keys, rules, errors)

    service.submit("m", [{"event_action": "bang"}, {**alert("disk"), "service": "shoop"}])
    errors.flush()

    assert sorted(entry.report.error for entry in errors.top()) == ["invalid", "unknown_service"]
