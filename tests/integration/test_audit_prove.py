"""What `prove` says of alerts that went the real way, on a real server."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.pipeline import Pipeline, alert
from tests.witnesses import ANY, hear

if TYPE_CHECKING:
    from tasks.audit.service import AuditService
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def wrongs(audit: AuditService, since: timedelta | None = None) -> list[str]:
    return [broken.wrong for broken in audit.prove(since).broken]


def test_an_empty_ledger_holds(audit: AuditService) -> None:
    report = audit.prove()

    assert report.holds
    assert report.events == 0


def test_every_verdict_is_counted_by_name(pipeline: Pipeline, audit: AuditService) -> None:
    pipeline.submit(alert("disk"))
    pipeline.submit(alert("disk"))  # says the same: merged
    pipeline.submit(alert("cpu"), alert("cpu", "resolve"))  # resolved before it was sent
    pipeline.submit({"event_action": "nonsense"})
    pipeline.deliver()

    report = audit.prove()

    assert report.holds, report.broken
    assert (report.events, report.delivered, report.merged) == (5, 1, 1)
    assert report.suppressed == {"resolved_before_send": 1, "nothing_was_sent": 1}
    assert report.dead == {"invalid": 1}


def test_what_waits_is_pending_until_its_time_and_the_grace_have_passed(
    pipeline: Pipeline, audit: AuditService, clock: MovableClock
) -> None:
    (event_id,) = pipeline.receive(alert())

    report = audit.prove()

    assert report.holds
    assert report.pending.count == 1
    assert report.pending.soonest_due == report.pending.latest_due is not None

    clock.advance(61 * SECOND)
    report = audit.prove()

    assert not report.holds
    assert report.broken[0].event_id == event_id
    assert "no worker has taken it up" in report.broken[0].wrong


def test_an_accepted_alert_is_pending_with_the_due_time_of_its_lane(pipeline: Pipeline, audit: AuditService) -> None:
    pipeline.submit(alert())

    assert audit.prove().pending.count == 1


def test_a_merged_alert_waits_with_the_one_it_went_into(pipeline: Pipeline, audit: AuditService) -> None:
    pipeline.submit(alert())
    pipeline.submit(alert())

    assert audit.prove().pending.count == 2
    pipeline.deliver()
    report = audit.prove()

    assert (report.delivered, report.merged, report.pending.count) == (1, 1, 0)


def test_an_alert_that_left_its_lane_without_an_end_is_a_broken_promise(
    pipeline: Pipeline, audit: AuditService, client: Any, keys: Keys
) -> None:
    (decision,) = pipeline.submit(alert())
    lane = client.hget(keys.event(decision.id), "lane")

    client.lpop(keys.lane(lane))

    assert "does not stand in its lane" in wrongs(audit)[0]


def test_a_lane_without_a_due_time_is_a_broken_promise_until_swept(
    pipeline: Pipeline, audit: AuditService, client: Any, keys: Keys, clock: MovableClock
) -> None:
    pipeline.submit(alert())
    client.delete(keys.outbox_due)

    assert "has no due time" in wrongs(audit)[0]
    clock.advance(61 * SECOND)
    pipeline.delivery.sweep()
    assert audit.prove().holds


def test_an_inbox_row_without_a_due_time_is_a_broken_promise(
    pipeline: Pipeline, audit: AuditService, client: Any, keys: Keys
) -> None:
    pipeline.receive(alert())

    client.delete(keys.inbox_due)

    assert "waits in the inbox without a due time" in wrongs(audit)[0]


def test_a_vanished_dead_letter_is_a_broken_promise(
    pipeline: Pipeline, audit: AuditService, client: Any, keys: Keys
) -> None:
    (decision,) = pipeline.submit({"event_action": "nonsense"})
    client.zrem(keys.dead, decision.id)

    report = audit.prove()

    assert [broken.event_id for broken in report.broken] == [decision.id]
    assert "Redis does not hold any more" in report.broken[0].wrong


def test_a_delivery_of_what_was_never_accepted_is_a_broken_promise(
    audit: AuditService, client: Any, keys: Keys
) -> None:
    client.xadd(keys.ledger, {"e": "ghost", "s": "sent", "r": "primary", "d": "1", "t": 1})

    assert wrongs(audit) == ["has steps of a delivery, but was never accepted"]


def test_a_replayed_dead_letter_is_open_again(pipeline: Pipeline, audit: AuditService) -> None:
    (decision,) = pipeline.submit({**alert(), "service": "unknown"})
    assert audit.prove().dead == {"unknown_service": 1}

    pipeline.delivery.replay([decision.id])

    report = audit.prove()
    assert report.holds, report.broken
    assert report.pending.count == 1


def test_a_story_is_told_in_plain_words_across_archive_and_ledger(pipeline: Pipeline, audit: AuditService) -> None:
    (event_id,) = pipeline.receive(alert())
    audit.seal()
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    steps = audit.story(event_id)

    assert [step.text for step in steps] == [
        "received from test",
        "accepted: trigger for service shop",
        "attempt 1, to channel primary",
        "sent to channel primary at the 1st attempt",
    ]
    assert str(steps[0]).endswith(" received from test")


def test_three_witnesses_agree_on_a_quiet_day(pipeline: Pipeline, audit: AuditService, sandbox: Sandbox) -> None:
    names = [decision.id for decision in pipeline.submit(*(alert(f"k{i}") for i in range(20)))]
    (repeat,) = pipeline.submit(alert("k0"))
    pipeline.deliver()
    pipeline.submit(alert("k1", "resolve"))
    pipeline.deliver()

    told = hear([*names, "k1"], sandbox.log(), audit.verdicts(), merged={repeat.id})

    assert told.nothing_wrong, told


def test_three_witnesses_find_what_only_the_ledger_claims(
    pipeline: Pipeline, audit: AuditService, sandbox: Sandbox
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    (planted,) = pipeline.submit({"event_action": "nonsense"})

    told = hear(["disk", "never"], [], audit.verdicts())

    assert len(told.lost) == 2
    assert planted.id in told.unexpected[0]
    assert hear(["disk"], sandbox.log() * 2, audit.verdicts(), dead={planted.id}).duplicates == ["disk"]


def test_the_proof_holds_at_every_moment_of_a_busy_day(
    pipeline: Pipeline, audit: AuditService, sandbox: Sandbox
) -> None:
    done = threading.Event()

    def work() -> list[str]:
        names = []
        for number in range(60):
            names += pipeline.receive(alert(f"k{number}"), alert(f"k{number}"))
            pipeline.alerts.drain_inbox()
            pipeline.deliver()
            audit.seal()
        done.set()
        return names

    proofs = []
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        while not done.is_set() and not working.done():
            proofs.append(audit.prove())
        names = working.result()

    assert [broken.wrong for proof in proofs for broken in proof.broken] == []
    assert hear(names, sandbox.log(), audit.verdicts(), merged=ANY).nothing_wrong
    assert audit.prove().merged == 60
