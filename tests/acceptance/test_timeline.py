"""One alert's story: all its events, wherever they went, in the order of time, for as long as the archive goes back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.audit.service import AuditRules, AuditService
from tests.acceptance.group_world import WAIT, GroupKit, at_desk, warning
from tests.acceptance.routed import send, trigger
from tests.pipeline import PRIMARY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.acceptance.routed import Fleet
    from tests.conftest import Sandbox

HOUR = timedelta(hours=1)
TWO_WAYS = """
- {name: log, match: [team=~.+], channels: [desk], continue: true}
- {name: loud, channels: [night]}
"""


@pytest.fixture
def audit(client: Any, keys: Keys, tmp_path: Path) -> AuditService:
    return AuditService(client, keys, AuditRules(tmp_path / "ledger", (b"k" * 32,)))


@pytest.fixture
def desk(client: Any, keys: Keys, sandbox: Sandbox, tmp_path: Path) -> Iterator[GroupKit]:
    sandbox.register(PRIMARY_KEY, "Shop")
    kit = at_desk(GroupKit, client, keys, sandbox.url, tmp_path)
    yield kit
    kit.delivery.close()


def test_events_of_one_key_stand_on_one_time_line_with_the_gaps_between_steps(
    pipeline: Pipeline, audit: AuditService, clock: MovableClock
) -> None:
    [first] = pipeline.submit(alert("disk"))
    pipeline.submit(alert("cpu"))
    [repeat] = pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(HOUR)
    [end] = pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()

    [trail] = audit.trails("disk", ["shop", "solo"])

    assert (trail.service, trail.dedup_key) == ("shop", "disk")
    assert [(one.number, one.event_id, one.action) for one in trail.events] == [
        (1, first.id, "trigger"),
        (2, repeat.id, "trigger"),
        (3, end.id, "resolve"),
    ]
    assert [(step.event_id, step.step) for step in trail.steps] == [
        (first.id, "accepted"),
        (repeat.id, "accepted"),
        (repeat.id, "merged"),
        (first.id, "attempt"),
        (first.id, "sent"),
        (end.id, "accepted"),
        (end.id, "attempt"),
        (end.id, "sent"),
    ]
    assert trail.steps[0].gap_ms == 0
    assert trail.steps[5].gap_ms >= HOUR.total_seconds() * 1000
    assert trail.steps[4].text == "sent to channel primary at the 1st attempt"


def test_the_same_key_of_two_services_is_two_stories_and_an_unknown_one_none(
    pipeline: Pipeline, audit: AuditService
) -> None:
    pipeline.submit(alert("disk"), {**alert("disk"), "service": "solo"})

    assert [trail.service for trail in audit.trails("disk", ["solo", "shop"])] == ["shop", "solo"]
    assert [trail.service for trail in audit.trails("disk", ["solo"])] == ["solo"]
    assert audit.trails("nix", ["solo", "shop"]) == []


def test_a_story_is_told_from_the_archive_when_redis_has_forgotten_it(
    pipeline: Pipeline, audit: AuditService, client: Any, keys: Keys, clock: MovableClock
) -> None:
    pipeline.receive(alert("disk"))
    pipeline.alerts.drain_inbox()
    audit.seal()
    pipeline.deliver()
    clock.advance(24 * HOUR)
    pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()
    [before] = audit.trails("disk", ["shop"])
    audit.seal()
    clock.advance(80 * HOUR)
    audit.archive()
    pipeline.submit(alert("other"))
    assert client.xlen(keys.ledger) == 1

    [after] = audit.trails("disk", ["shop"])

    assert after == before
    assert [step.step for step in after.steps][:3] == ["received", "accepted", "attempt"]


def test_copies_for_other_destinations_are_part_of_the_story(fleet: Fleet) -> None:
    runtime = fleet.configured(TWO_WAYS)
    [event_id] = send(runtime, trigger("disk", team="a"))
    while runtime.delivery.drain().attempts:
        pass

    [trail] = runtime.audit.trails("disk", ["shop"])

    assert len(trail.events) == 2
    assert {one.event_id.partition("+")[0] for one in trail.events} == {event_id}
    assert {step.text for step in trail.steps if step.step == "sent"} == {
        "sent to channel desk at the 1st attempt",
        "sent to channel night at the 1st attempt",
    }


def test_bundles_that_told_of_an_alert_are_part_of_its_story_and_not_what_else_they_told(
    desk: GroupKit, clock: MovableClock
) -> None:
    desk.submit(warning("disk"))
    desk.go()
    desk.submit(warning("cpu"), warning("net"))
    clock.advance(WAIT)
    desk.go()

    [trail] = desk.audit.trails("cpu", ["shop"])

    assert [one.action for one in trail.events] == ["trigger", "bundle"]
    assert {"accepted", "bundled", "sealed", "attempt", "sent"} == {step.step for step in trail.steps}
    assert sum(step.step == "accepted" for step in trail.steps) == 1


def test_a_dead_letter_that_never_became_an_alert_is_found_by_its_key(pipeline: Pipeline, audit: AuditService) -> None:
    pipeline.submit({**alert("disk"), "service": "later"})

    [trail] = audit.trails("disk", ["later"])

    assert [one.action for one in trail.events] == ["refused"]
    assert [step.step for step in trail.steps] == ["accepted", "dead"]


def test_a_broken_promise_names_service_dedup_key_and_fault(
    pipeline: Pipeline, audit: AuditService, client: Any, keys: Keys, clock: MovableClock
) -> None:
    [lost, _, late] = pipeline.submit(alert("disk"), alert("cpu"), {**alert("net"), "service": "solo"})
    client.lpop(keys.lane(client.hget(keys.event(lost.id), "lane")))
    client.delete(keys.event(lost.id))
    clock.advance(timedelta(seconds=61))

    report = audit.prove()

    told = {one.event_id: (one.service, one.dedup_key, one.fault) for one in report.broken}
    assert told[lost.id] == ("shop", "disk", "lost")
    assert told[late.id] == ("solo", "net", "overdue")
    assert report.broken_by == {"overdue": 2, "lost": 1}


def test_a_proof_is_kept_for_others_to_look_at(
    pipeline: Pipeline, audit: AuditService, client: Any, keys: Keys
) -> None:
    pipeline.submit(alert("disk"))
    audit.prove_and_keep(None, "")
    assert audit.kept_proofs() == {}

    audit.prove_and_keep(HOUR, "hour")
    client.delete(keys.outbox_due)
    audit.prove_and_keep(None, "whole")

    proofs = audit.kept_proofs()
    assert (proofs["hour"].holds, proofs["hour"].events) == (True, 1)
    assert (proofs["whole"].holds, proofs["whole"].broken_by) == (False, {"no_due_time": 1})
    assert [(one.service, one.dedup_key) for one in proofs["whole"].broken] == [("shop", "disk")]


def test_a_kept_proof_of_everything_is_not_called_broken_any_longer_than_it_is(
    pipeline: Pipeline, audit: AuditService, client: Any, keys: Keys, clock: MovableClock
) -> None:
    pipeline.submit(alert("disk"))
    client.delete(keys.outbox_due)
    audit.prove_and_keep(None, "whole")
    audit.prove_and_keep(HOUR, "hour")
    assert not audit.kept_proofs()["whole"].holds

    clock.advance(timedelta(seconds=61))
    pipeline.delivery.sweep()
    audit.prove_and_keep(HOUR, "hour")

    assert {name: proof.holds for name, proof in audit.kept_proofs().items()} == {"hour": True, "whole": True}
