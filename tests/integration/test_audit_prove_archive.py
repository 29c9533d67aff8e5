"""What `prove` says when the archive must help: of spans, of what Redis has forgotten, of what it lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.alerts.acceptance import AlertRules
from tasks.alerts.service import AlertService
from tests.pipeline import Pipeline, alert

if TYPE_CHECKING:
    from tasks.audit.service import AuditService
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def test_the_proof_covers_archive_and_live_ledger_together(pipeline: Pipeline, audit: AuditService) -> None:
    pipeline.submit(alert("disk"))
    audit.seal()  # in the middle of the story
    pipeline.deliver()
    pipeline.submit(alert("cpu"))

    report = audit.prove()

    assert report.holds, report.broken
    assert report.sealed_entries == 1
    assert report.live_entries > 1
    assert (report.delivered, report.pending.count) == (1, 1)


def test_the_archive_proves_what_redis_has_forgotten(
    pipeline: Pipeline, audit: AuditService, client: Any, keys: Keys, clock: MovableClock
) -> None:
    (decision,) = pipeline.submit(alert())
    pipeline.deliver()
    audit.seal()
    clock.advance(49 * HOUR)
    audit.archive()
    assert client.xlen(keys.ledger) == 0
    assert not client.exists(keys.event(decision.id))

    report = audit.prove()

    assert report.holds, report.broken
    assert (report.events, report.delivered) == (1, 1)


def test_a_span_leaves_out_what_was_accepted_before(
    pipeline: Pipeline, audit: AuditService, clock: MovableClock
) -> None:
    pipeline.submit(alert("old"))
    pipeline.deliver()
    clock.advance(2 * HOUR)
    pipeline.submit(alert("new"))
    pipeline.deliver()

    assert audit.prove(HOUR).events == 1
    assert audit.prove(3 * HOUR).events == 2
    assert audit.prove(clock.now() - HOUR).events == 1


def test_a_span_reaches_back_for_what_its_alerts_were_merged_into(
    pipeline: Pipeline, audit: AuditService, clock: MovableClock
) -> None:
    pipeline.alerts = AlertService(pipeline.client, pipeline.keys, AlertRules({"shop": 720 * HOUR}, "shop", 500, 5))
    pipeline.submit(alert())
    pipeline.deliver()
    audit.seal()
    for _ in range(9):  # a file a day between the two
        clock.advance(24 * HOUR)
        pipeline.submit(alert("daily", summary=str(clock.now())))
        pipeline.deliver()
        audit.seal()
    pipeline.submit(alert())
    audit.seal()
    audit.archive()

    report = audit.prove(HOUR)

    assert report.holds, report.broken
    assert report.merged == 1


def test_after_the_loss_of_redis_what_was_unsent_is_reported_as_lost_history(
    pipeline: Pipeline, audit: AuditService, client: Any, keys: Keys
) -> None:
    pipeline.submit(alert("sent"))
    pipeline.deliver()
    (lost,) = pipeline.submit(alert("unsent"))
    audit.seal()
    client.flushall()
    pipeline.submit(alert("new"))
    pipeline.deliver()
    client.set(keys.epoch, client.time()[0] * 1000 + 5000)

    report = audit.prove()

    assert (report.holds, report.verdict, report.broken_count) == (False, "lost", 0)
    assert [one.event_id for one in report.lost_events] == [lost.id]
    assert "lost history" in report.lost_events[0].wrong
    assert (report.delivered, report.lost) == (2, 1)
    assert any("lost everything" in note for note in report.notes)


def test_sealing_goes_on_after_the_loss_of_redis(pipeline: Pipeline, audit: AuditService, client: Any) -> None:
    pipeline.submit(alert("before"))
    pipeline.deliver()
    audit.seal()
    client.flushall()
    pipeline.submit(alert("after"))
    pipeline.deliver()

    audit.seal()

    report = audit.prove()
    assert report.holds, report.broken
    assert (report.delivered, report.live_entries, report.notes) == (2, 0, [])
