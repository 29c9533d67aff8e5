"""What newer news does to a dead letter that was put back into the inbox, and what it does to the news."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.routed import follow, send, trigger
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.acceptance.routed import Fleet
    from tests.conftest import Sandbox

REST = timedelta(minutes=11)  # then a key that was refused is tried again
TWO_WAYS = """
- {name: log, match: [team=~.+], channels: [desk], continue: true}
- {name: loud, channels: [night]}
"""
BY_SEVERITY = "- {name: critical, severity: [critical], channels: [night]}"


def dead_letter(pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, summary: str) -> str:
    """The id of a trigger of the alert `disk` that every channel refused."""
    for key in (PRIMARY_KEY, STANDBY_KEY):
        sandbox.fault(kind="reject", key=key)
    [dead] = pipeline.submit(alert("disk", summary=summary))
    pipeline.deliver()
    sandbox.heal()
    clock.advance(REST)
    assert pipeline.event(dead.id)["state"] == "dead"
    return str(dead.id)


def decide_and_deliver(pipeline: Pipeline) -> None:
    pipeline.alerts.drain_inbox()
    pipeline.deliver()


def heard(sandbox: Sandbox) -> list[str]:
    return [entry["summary"] for entry in sandbox.log() if entry["outcome"] in ("opened", "updated")]


def test_a_replayed_trigger_is_not_sent_after_newer_news_that_came_before_it_was_decided_on(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    old = dead_letter(pipeline, sandbox, clock, "old")
    pipeline.delivery.replay([old])
    [new] = pipeline.submit(alert("disk", summary="new"))
    pipeline.deliver()

    decide_and_deliver(pipeline)

    assert (pipeline.state(old), pipeline.event(old)["into"]) == ("merged superseded", new.id)
    assert heard(sandbox) == ["new"]


def test_a_replayed_trigger_is_not_sent_after_a_resolve_that_newer_news_has_followed(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    old = dead_letter(pipeline, sandbox, clock, "old")
    pipeline.delivery.replay([old])
    pipeline.submit(alert("disk", "resolve"), alert("disk", summary="new"))

    decide_and_deliver(pipeline)

    assert pipeline.state(old) == "suppressed resolved_before_send"
    assert heard(sandbox) == ["new"]


def test_a_replayed_trigger_does_not_outdate_newer_news_that_a_silence_has_let_go(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    old = dead_letter(pipeline, sandbox, clock, "old")
    pipeline.delivery.replay([old])
    pipeline.silence("source=web1", minutes=1)
    [new] = pipeline.submit(alert("disk", summary="new"))
    clock.advance(timedelta(minutes=2))
    assert pipeline.alerts.release() == 1

    decide_and_deliver(pipeline)

    assert (pipeline.state(old), pipeline.event(old)["into"]) == ("merged superseded", new.id)
    assert heard(sandbox) == ["new"]


@pytest.mark.parametrize("first", ["old", "new"])
def test_of_two_dead_letters_of_an_alert_the_newer_is_sent_whichever_is_replayed_first(
    first: str, pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    dead = {summary: dead_letter(pipeline, sandbox, clock, summary) for summary in ("old", "new")}

    pipeline.delivery.replay(sorted(dead.values(), key=lambda event_id: event_id != dead[first]))
    decide_and_deliver(pipeline)

    assert (pipeline.state(dead["new"]), heard(sandbox)) == ("sent primary", ["new"])
    assert pipeline.event(dead["old"])["into"] == dead["new"]


def test_a_dead_letter_that_is_replayed_after_an_older_one_was_sent_is_still_news(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    dead = [dead_letter(pipeline, sandbox, clock, summary) for summary in ("old", "new")]

    for event_id in dead:
        assert pipeline.delivery.replay([event_id]).replayed == [event_id]
        decide_and_deliver(pipeline)

    assert heard(sandbox) == ["old", "new"]


def test_dead_copies_of_one_alert_that_are_replayed_together_each_go_their_own_way(
    fleet: Fleet, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = fleet.configured(TWO_WAYS)
    sandbox.fault(kind="reject")
    [event_id] = send(runtime, trigger(team="web"))
    sandbox.heal()
    sandbox.clear_log()
    clock.advance(REST)

    runtime.delivery.replay([event_id, f"{event_id}+shop~night"])
    runtime.alerts.drain_inbox()
    runtime.delivery.drain()

    assert sorted(fleet.sent()) == [("desk", "opened"), ("night", "opened")]
    assert runtime.audit.prove().holds


def test_a_dead_copy_that_is_replayed_is_not_sent_after_newer_news_that_went_the_same_way(
    fleet: Fleet, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = fleet.configured(TWO_WAYS)
    fault = sandbox.fault(kind="reject", status=401)
    [event_id] = send(runtime, trigger(team="web"))
    copy = f"{event_id}+shop~night"
    sandbox.control("DELETE", f"/faults/{fault}")
    clock.advance(REST)
    runtime.delivery.replay([copy])
    sandbox.clear_log()
    [new] = send(runtime, trigger(severity="warning", team="web"))

    runtime.alerts.drain_inbox()
    runtime.delivery.drain()

    assert runtime.client.hmget(runtime.keys.event(copy), "state", "into") == ["merged", f"{new}+shop~night"]
    assert sorted(fleet.sent()) == [("desk", "opened"), ("night", "opened")]


def test_news_of_another_destination_does_not_hide_newer_news_that_went_the_same_way(
    fleet: Fleet, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = fleet.configured(BY_SEVERITY)
    fault = sandbox.fault(kind="reject", status=401)
    [old] = send(runtime, trigger())
    sandbox.control("DELETE", f"/faults/{fault}")
    clock.advance(REST)
    [new] = send(runtime, trigger())
    send(runtime, trigger(severity="warning"))

    assert "overtaken" in runtime.delivery.replay([old]).refused[old]
    assert runtime.client.hget(runtime.keys.event(old), "into") == new


def test_a_replayed_trigger_goes_its_way_beside_newer_news_that_went_another(
    fleet: Fleet, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = fleet.configured(BY_SEVERITY)
    fault = sandbox.fault(kind="reject", status=401)
    [old] = send(runtime, trigger())
    sandbox.control("DELETE", f"/faults/{fault}")
    sandbox.clear_log()
    clock.advance(REST)
    runtime.delivery.replay([old])
    send(runtime, trigger(severity="warning"))

    runtime.alerts.drain_inbox()
    runtime.delivery.drain()
    send(runtime, follow("resolve"))

    assert fleet.sent()[:2] == [("primary", "opened"), ("night", "opened")]
    assert sorted(fleet.sent()[2:]) == [("night", "resolved"), ("primary", "resolved")]


def test_a_replayed_trigger_is_not_sent_after_newer_news_where_the_routes_of_now_lead(
    fleet: Fleet, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = fleet.configured()
    fault = sandbox.fault(kind="reject", status=401)
    [old] = send(runtime, trigger())
    sandbox.control("DELETE", f"/faults/{fault}")
    sandbox.clear_log()
    clock.advance(REST)
    runtime = fleet.configured(BY_SEVERITY)
    runtime.delivery.replay([old])
    [new] = send(runtime, trigger())

    runtime.alerts.drain_inbox()
    runtime.delivery.drain()

    assert runtime.client.hmget(runtime.keys.event(old), "state", "into") == ["merged", new]
    assert fleet.sent() == [("night", "opened")]


def test_a_dead_letter_of_an_episode_that_is_over_is_not_sent_where_the_next_one_has_not_gone(
    fleet: Fleet, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = fleet.configured(BY_SEVERITY)
    fault = sandbox.fault(kind="reject", status=401)
    [old] = send(runtime, trigger())
    sandbox.control("DELETE", f"/faults/{fault}")
    clock.advance(REST)
    send(runtime, follow("resolve"))
    send(runtime, trigger(severity="warning"))

    assert "resolved meanwhile" in runtime.delivery.replay([old]).refused[old]


def test_a_dead_letter_whose_alert_is_forgotten_may_be_replayed_again_and_again(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    old = dead_letter(pipeline, sandbox, clock, "old")
    pipeline.client.delete(pipeline.keys.alert(pipeline.event(old)["uid"]))
    sandbox.fault(kind="reject")
    pipeline.delivery.replay([old])
    decide_and_deliver(pipeline)
    sandbox.heal()
    assert pipeline.event(old)["state"] == "dead"

    assert pipeline.delivery.replay([old]).replayed == [old]
    decide_and_deliver(pipeline)

    assert heard(sandbox) == ["old"]
