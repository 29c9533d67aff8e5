"""What Redis keeps of an event whose story has ended: little, and all that anybody may still ask."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.audit.service import AuditRules, AuditService
from tasks.utils.rows import Done, Outcome
from tests.acceptance.group_world import WAIT, warning
from tests.acceptance.routed import KEYS, send, trigger
from tests.pipeline import alert

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.notifications.service import DeliveryService
    from tasks.utils.clock import MovableClock
    from tests.acceptance.group_world import GroupKit
    from tests.acceptance.routed import Fleet
    from tests.conftest import Sandbox
    from tests.pipeline import Pipeline

LONG = {"custom_details": {"log": "x" * 5000}}


def in_hand(delivery: DeliveryService, token: str) -> Done:
    """The one attempt that is due, begun by a worker of which nothing is heard for a while."""
    [claim] = delivery._outbox.claim(1, timedelta(seconds=30), token)
    [(_, attempt)] = delivery._outbox.begin([(claim, delivery._plan(claim.destination))], token, alone=True).attempts
    return Done(attempt, Outcome("sent"), "", 5)


def form(kit: Any, key: str) -> str:
    return str(kit.client.object("encoding", key))


def test_of_what_was_sent_a_few_short_fields_are_kept(pipeline: Pipeline) -> None:
    [decision] = pipeline.submit(alert("disk", **LONG))
    assert form(pipeline, pipeline.keys.event(decision.id)) == "hashtable"

    pipeline.deliver()

    assert pipeline.event(decision.id).keys() == {"state", "reason", "uid", "action", "accepted"}
    assert pipeline.client.memory_usage(pipeline.keys.event(decision.id)) < 300
    assert form(pipeline, pipeline.keys.event(decision.id)) == "listpack"


def test_an_alert_that_pagerduty_has_takes_a_short_row(pipeline: Pipeline) -> None:
    pipeline.submit(alert("disk", **LONG))
    pipeline.deliver()

    [uid] = [view.uid for view in pipeline.current.list().alerts]

    assert pipeline.client.hexists(pipeline.keys.answers, uid)
    assert form(pipeline, pipeline.keys.alert(uid)) == "listpack"
    assert pipeline.client.memory_usage(pipeline.keys.alert(uid)) < 500


def test_a_message_that_comes_again_is_answered_as_before_and_nothing_is_sent(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    news = (alert("disk"), alert("disk"), alert("cpu"), alert("cpu", "resolve"))
    first = pipeline.submit(*news, message="m1")
    pipeline.deliver()
    ended = [(one.state, one.reason, one.into) for one in pipeline.submit(*news, message="m1")]
    pipeline.deliver()

    assert ended == [
        ("sent", "primary", ""),
        ("merged", "duplicate", first[0].id),
        ("suppressed", "resolved_before_send", ""),
        ("suppressed", "nothing_was_sent", ""),
    ]
    assert len(sandbox.log()) == 1


def test_an_answer_that_comes_after_the_end_of_the_story_still_counts(
    pipeline: Pipeline, clock: MovableClock, tmp_path: Path
) -> None:
    [decision] = pipeline.submit(alert("disk"))
    late = in_hand(pipeline.delivery, "slow")
    clock.advance(timedelta(seconds=31))
    pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()
    assert pipeline.state(decision.id) == "suppressed resolved_before_send"

    pipeline.delivery._outbox.record([late], "slow")

    assert pipeline.state(decision.id) == "sent primary"
    audit = AuditService(pipeline.client, pipeline.keys, AuditRules(tmp_path))
    assert audit.story(decision.id)[-1].text == "sent to channel primary, as an answer tells that came late"
    assert audit.prove().holds


def test_a_verdict_names_service_action_and_dedup_key_of_what_has_ended(pipeline: Pipeline, tmp_path: Path) -> None:
    change = {"service": "shop", "event_action": "change", "payload": {"summary": "deployed"}}
    pipeline.submit(alert("disk"), {**alert("cpu"), "service": "solo"}, change)
    pipeline.deliver()

    audit = AuditService(pipeline.client, pipeline.keys, AuditRules(tmp_path))
    found = [(one.verdict, one.service, one.action, one.dedup_key) for one in audit.verdicts()]

    assert found == [
        ("delivered", "shop", "trigger", "disk"),
        ("delivered", "solo", "trigger", "cpu"),
        ("delivered", "shop", "change", ""),
    ]


def test_another_severity_is_looked_at_at_once_though_the_last_event_has_ended_elsewhere(
    fleet: Fleet, sandbox: Sandbox
) -> None:
    runtime = fleet.configured(
        "- {name: log, match: [team=~.+], channels: [desk], continue: true}\n- {name: loud, channels: [night]}"
    )
    sandbox.fault(kind="error", status=500, key=KEYS["night"])
    [first] = send(runtime, trigger(severity="warning", team="web"))
    assert runtime.client.hget(runtime.keys.event(first), "state") == "sent"
    sandbox.heal()

    send(runtime, trigger(severity="warning", team="data"))
    assert ("night", "opened") not in fleet.sent()
    send(runtime, trigger(severity="critical", team="data"))

    assert ("night", "opened") in fleet.sent()


def test_an_alert_of_which_much_waited_to_be_told_takes_no_more_room_than_another(
    desk: GroupKit, clock: MovableClock
) -> None:
    desk.submit(warning("disk"))
    desk.go()
    desk.submit(warning("cpu"), warning("cpu", "acknowledge"))
    uid = desk.event(desk.submit(warning("net"))[0].id)["uid"]
    busy = next(view.uid for view in desk.current.list().alerts if view.dedup_key == "cpu")
    assert form(desk, desk.keys.alert(busy)) == "hashtable"

    clock.advance(WAIT)
    desk.go()

    sizes = [desk.client.memory_usage(desk.keys.alert(one)) for one in (uid, busy)]
    assert form(desk, desk.keys.alert(busy)) == "listpack"
    assert max(sizes) < 450


def test_a_bundle_that_was_sent_keeps_no_list_of_its_members(desk: GroupKit) -> None:
    [first] = desk.submit(warning("disk"))
    late = in_hand_of_bundle(desk)
    bundle = desk.event(first.id)["bundle"]
    assert desk.event(bundle)["members"] == first.id

    desk.delivery._outbox.record([late], "one")

    assert (desk.state(first.id), desk.state(bundle)) == ("sent desk", "sent desk")
    assert "members" not in desk.event(bundle)


def in_hand_of_bundle(desk: GroupKit) -> Done:
    desk.delivery.digest()
    return in_hand(desk.delivery, "one")


def test_a_record_is_archived_by_when_its_story_ended(pipeline: Pipeline, clock: MovableClock, tmp_path: Path) -> None:
    audit = AuditService(pipeline.client, pipeline.keys, AuditRules(tmp_path))
    [old] = pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(timedelta(hours=40))
    [new] = pipeline.submit(alert("cpu"))
    pipeline.deliver()
    clock.advance(timedelta(hours=9))
    audit.seal()

    assert audit.archive().events == 1
    assert not pipeline.event(old.id)
    assert pipeline.state(new.id) == "sent primary"
    assert pipeline.client.llen(pipeline.keys.closed) == 1
