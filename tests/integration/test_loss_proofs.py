"""What a proof says after Redis has lost everything: what was pending then is lost by name, what came after is judged as ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery

from tasks.audit.epochs import EpochWatch
from tasks.audit.service import AuditRules, AuditService
from tests.loss import lose_everything
from tests.pipeline import alert

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.pipeline import Pipeline


@pytest.fixture
def audit(client: Any, keys: Keys, tmp_path: Path) -> AuditService:
    return AuditService(client, keys, AuditRules(tmp_path, (b"k" * 32,)))


def losses(client: Any, keys: Keys) -> list[str]:
    """The data sets the ledger says are lost."""
    return [entry["r"] for _, entry in client.xrange(keys.ledger) if entry["s"] == "lost"]


def test_a_proof_names_what_was_pending_when_everything_was_lost(
    audit: AuditService, pipeline: Pipeline, client: Any, keys: Keys, tmp_path: Path
) -> None:
    watch = EpochWatch(client, keys, tmp_path)
    watch.ask()
    pipeline.submit(alert("sent"))
    pipeline.deliver()
    lost = pipeline.submit(alert("unsent"), alert("unsent too"))
    audit.seal()
    lose_everything(client, keys)
    watch.ask()

    report = audit.prove()

    assert (report.verdict, report.lost, report.delivered) == ("lost", 2, 1)
    assert {one.event_id for one in report.lost_events} == {one.id for one in lost}
    [loss] = report.losses
    assert (loss.pending, loss.sealed_entries) == (2, 5)
    assert "2 events were pending" in str(loss)
    assert "the newest sealed entry is number 5" in str(loss)
    assert client.hget(keys.loss, "pending") == "2"


def test_what_was_lost_before_it_was_sealed_is_named_from_the_note_of_pending_events(
    audit: AuditService, pipeline: Pipeline, client: Any, keys: Keys, tmp_path: Path
) -> None:
    watch = EpochWatch(client, keys, tmp_path)
    watch.ask()
    audit.seal()
    (lost,) = pipeline.submit(alert("unsent"))
    audit._standing.note(audit._clock.now_ms())
    lose_everything(client, keys)
    watch.ask()

    report = audit.prove()

    assert [one.event_id for one in report.lost_events] == [lost.id]


def test_an_alert_in_a_message_that_nobody_had_read_is_named(
    audit: AuditService, client: Any, keys: Keys, server: Server, tmp_path: Path
) -> None:
    watch = EpochWatch(client, keys, tmp_path)
    watch.ask()
    with Celery("producer", broker=server.url) as app:
        app.conf.broker_transport_options = {"global_keyprefix": keys.prefix}
        sent = app.send_task("alerts.submit", kwargs={"alerts": [{"service": "shop"}] * 2}, queue="alert")
        app.send_task("alerts.silence", kwargs={"action": "list"}, queue="alert")
    client.rpush(keys.queue("alert"), "nobody can read this")
    audit.seal()
    lose_everything(client, keys)
    watch.ask()

    report = audit.prove()

    assert {one.event_id for one in report.lost_events} == {f"{sent.id}:0", f"{sent.id}:1"}
    assert (report.lost, report.losses[0].pending) == (2, 2)


def test_a_sealing_right_after_a_loss_does_not_pass_for_one_before_it(
    pipeline: Pipeline, client: Any, keys: Keys, tmp_path: Path
) -> None:
    watch = EpochWatch(client, keys, tmp_path)
    audit = AuditService(client, keys, AuditRules(tmp_path, (b"k" * 32,)), watch.ask)
    pipeline.submit(alert("sealed"))
    audit.seal()
    sealed_by = audit._clock.now_ms()
    pipeline.submit(alert("lost"))
    lose_everything(client, keys)
    pipeline.submit(alert("new"))
    audit.seal()

    [loss] = audit.prove().losses

    assert loss.sealed_entries == 1
    assert loss.sealed_until is not None
    assert loss.sealed_until.timestamp() * 1000 <= sealed_by


def test_a_proof_of_what_came_after_the_loss_holds(
    audit: AuditService, pipeline: Pipeline, client: Any, keys: Keys, tmp_path: Path, clock: MovableClock
) -> None:
    watch = EpochWatch(client, keys, tmp_path)
    watch.ask()
    pipeline.submit(alert("unsent"))
    audit.seal()
    lose_everything(client, keys)
    watch.ask()
    clock.advance(timedelta(hours=2))
    pipeline.submit(alert("new"))
    pipeline.deliver()
    audit.seal()

    assert audit.prove(timedelta(hours=1)).holds
    assert audit.prove().verdict == "lost"


def test_the_loss_stays_in_the_proof_when_the_new_ledger_is_sealed(
    audit: AuditService, pipeline: Pipeline, client: Any, keys: Keys, tmp_path: Path
) -> None:
    watch = EpochWatch(client, keys, tmp_path)
    watch.ask()
    pipeline.submit(alert("unsent"))
    audit.seal()
    lose_everything(client, keys)
    watch.ask()
    for number in range(3):
        pipeline.submit(alert(f"new{number}"))
        pipeline.deliver()
        audit.seal()

    report = audit.prove()

    assert (report.verdict, report.lost, [loss.pending for loss in report.losses]) == ("lost", 1, [1])
    assert audit.verify().holds
