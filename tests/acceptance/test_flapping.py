"""An alert that fires and resolves again and again is announced once, held back, and let through when it is calm."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tasks.alerts.acceptance import FlappingRule
from tests.pipeline import Pipeline, alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

CALM = timedelta(minutes=5)
RULE = FlappingRule(4, timedelta(minutes=10), CALM)


@pytest.fixture
def ruled(pipeline: Pipeline) -> Pipeline:
    pipeline.ruled_by(flapping={"shop": RULE})
    return pipeline


def flap(pipeline: Pipeline, times: int) -> list[str]:
    """Fire and resolve so many times, delivering each; the decisions' states and reasons."""
    seen = []
    for n in range(times):
        for one in (alert("disk", summary=f"disk {n}"), alert("disk", "resolve")):
            [decision] = pipeline.submit(one)
            pipeline.deliver()
            seen.append(f"{decision.state} {decision.reason}".strip())
    return seen


def test_it_is_announced_once_and_then_held_back(ruled: Pipeline, sandbox: Sandbox) -> None:
    states = flap(ruled, 5)

    # The fourth change is a resolve, which always passes; the fifth, a trigger, is the announcement.
    assert states == ["queued"] * 5 + ["suppressed flapping"] * 5
    summaries = [e["summary"] for e in sandbox.log() if e["event_action"] == "trigger"]
    assert summaries == ["disk 0", "disk 1", "Flapping, held back until it is calm: disk 2"]


def test_when_calm_and_resolved_the_resolve_is_sent(ruled: Pipeline, sandbox: Sandbox, clock: MovableClock) -> None:
    flap(ruled, 5)
    clock.advance(CALM)

    assert ruled.alerts.drain_inbox().released == 1
    ruled.deliver()

    assert sandbox.log()[-1]["outcome"] == "resolved"
    assert [i["status"] for i in sandbox.incidents() if i["status"] != "resolved"] == []


def test_when_calm_and_firing_the_newest_trigger_is_sent(
    ruled: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    flap(ruled, 5)
    ruled.submit(alert("disk", summary="disk for good"))
    clock.advance(CALM)
    ruled.alerts.drain_inbox()
    ruled.deliver()

    assert (sandbox.log()[-1]["summary"], sandbox.log()[-1]["outcome"]) == ("disk for good", "updated")


def test_every_change_puts_the_calm_off(ruled: Pipeline, clock: MovableClock) -> None:
    flap(ruled, 4)
    clock.advance(CALM - timedelta(seconds=1))
    ruled.submit(alert("disk"))
    clock.advance(timedelta(seconds=2))

    assert ruled.alerts.drain_inbox().released == 0


def test_slow_changes_do_not_flap(ruled: Pipeline, clock: MovableClock) -> None:
    for _ in range(6):
        assert set(flap(ruled, 1)) == {"queued"}
        clock.advance(timedelta(minutes=6))


def test_after_the_calm_it_counts_anew(ruled: Pipeline, clock: MovableClock) -> None:
    flap(ruled, 5)
    clock.advance(CALM)
    ruled.alerts.drain_inbox()
    ruled.deliver()

    assert set(flap(ruled, 1)) == {"queued"}


def test_an_acknowledge_passes_while_it_flaps(ruled: Pipeline, sandbox: Sandbox) -> None:
    flap(ruled, 4)
    ruled.submit(alert("disk"), alert("disk", "acknowledge"))
    ruled.deliver()

    assert sandbox.log()[-1]["outcome"] == "acknowledged"


def test_nothing_flaps_where_nobody_asked_for_it(pipeline: Pipeline) -> None:
    assert set(flap(pipeline, 20)) == {"queued"}


def test_newer_news_outdates_what_was_let_go(ruled: Pipeline, sandbox: Sandbox, clock: MovableClock) -> None:
    flap(ruled, 5)
    clock.advance(CALM)
    assert ruled.alerts.release() == 1
    [newer] = ruled.submit(alert("disk", summary="disk again"))

    ruled.alerts.drain_inbox()
    ruled.deliver()

    assert sandbox.log()[-1]["summary"] == "disk again"
    [outdated] = [e["e"] for _, e in ruled.client.xrange(ruled.keys.ledger) if e["s"] == "released"]
    assert ruled.event(outdated)["into"] == newer.id
