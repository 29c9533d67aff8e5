"""What PagerDuty says of our alerts, on the sandbox: seen, acknowledged, resolved there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.identifiers import alert_uid
from tasks.webhooks.answers import Answers
from tasks.webhooks.models import Observation
from tests.pipeline import Pipeline, alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

DISK = alert_uid("shop", "disk")


@pytest.fixture
def answers(client: Any, keys: Keys) -> Answers:
    return Answers(client, keys)


def said(clock: MovableClock, status: str, number: int = 1, key: str | None = "disk", **more: Any) -> Observation:
    """An observation of this moment."""
    at = round(clock.now().timestamp() * 1000)
    keys = (key,) if key else ()
    return Observation.model_validate(
        {"incident_id": f"PINC{number}", "keys": keys, "status": status, "at": at, "number": number, **more}
    )


def turn(pipeline: Pipeline) -> None:
    """Decide on what came in, and send what is due."""
    pipeline.alerts.drain_inbox()
    pipeline.deliver()


def test_an_incident_that_pagerduty_shows_makes_its_alert_seen(
    pipeline: Pipeline, answers: Answers, clock: MovableClock
) -> None:
    [opened] = pipeline.submit(alert("disk"))
    pipeline.deliver()

    observed = answers.observe(said(clock, "triggered"))

    assert observed.changes == {DISK: "seen"}
    assert pipeline.steps(opened.id)[-1] == "answered"
    assert answers.observe(said(clock, "triggered")).changes == {}


def test_an_acknowledge_in_pagerduty_acknowledges_the_alert_and_is_not_sent_back(
    pipeline: Pipeline, answers: Answers, clock: MovableClock, sandbox: Sandbox
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()

    answers.observe(said(clock, "acknowledged", who="Ann"))
    turn(pipeline)

    assert pipeline.current.get(DISK).status == "acknowledged"
    assert len(sandbox.log()) == 1


def test_a_resolve_in_pagerduty_closes_the_alert_and_is_not_sent_back(
    pipeline: Pipeline, answers: Answers, clock: MovableClock, sandbox: Sandbox
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()

    answers.observe(said(clock, "resolved"))
    turn(pipeline)

    assert pipeline.current.get(DISK).status == "resolved"
    assert len(sandbox.log()) == 1
    clock.advance(timedelta(seconds=5))
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    assert pipeline.current.get(DISK).status == "open"
    assert len(sandbox.log()) == 2


def test_what_is_unsent_when_pagerduty_resolves_is_suppressed_by_that_name(
    pipeline: Pipeline, answers: Answers, clock: MovableClock, sandbox: Sandbox
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    [worse] = pipeline.submit(alert("disk", summary="disk is full"))

    answers.observe(said(clock, "resolved"))
    turn(pipeline)

    assert pipeline.state(worse.id) == "suppressed resolved_by_pagerduty"
    assert len(sandbox.log()) == 1


def test_the_resolve_of_an_old_incident_does_not_close_the_alert_that_fires_anew(
    pipeline: Pipeline, answers: Answers, clock: MovableClock, sandbox: Sandbox
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    answers.observe(said(clock, "triggered", 1))
    late = said(clock, "resolved", 1)
    clock.advance(timedelta(seconds=10))
    pipeline.submit(alert("disk", "resolve"))
    pipeline.submit(alert("disk"))
    pipeline.deliver()

    answers.observe(late)
    turn(pipeline)
    assert pipeline.current.get(DISK).status == "open"

    answers.observe(said(clock, "triggered", 2))
    answers.observe(said(clock, "resolved", 1))
    turn(pipeline)
    assert pipeline.current.get(DISK).status == "open"


def test_an_incident_of_no_known_alert_is_parked_and_taken_up_when_its_alert_is_sent(
    pipeline: Pipeline, answers: Answers, clock: MovableClock, client: Any, keys: Keys
) -> None:
    early = answers.observe(said(clock, "acknowledged"))
    assert early.state == "parked"

    pipeline.submit(alert("disk"))
    pipeline.deliver()
    turn(pipeline)

    assert pipeline.current.get(DISK).status == "acknowledged"
    assert client.zcard(keys.parked_incidents) == client.hlen(keys.parked_news) == client.hlen(keys.parked_keys) == 0
