"""Each kind of bad answer as designed: what becomes of the alert, of its key, of the endpoint's breaker; and nobody is held waiting."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.notifications.channels.protocol import AsyncChannel
from tasks.notifications.flights import STILL
from tasks.utils.breakers import Breakers
from tasks.utils.rows import Outcome
from tests.pipeline import PRIMARY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from tasks.notifications.channels.protocol import Message
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

SECOND = timedelta(seconds=1)


def failures(pipeline: Pipeline) -> int:
    """Calls that count against PagerDuty's endpoint."""
    return sum(view.failures for view in Breakers(pipeline.client, pipeline.keys).list())


def nobody_waits(pipeline: Pipeline) -> bool:
    """Whether no lane is in anybody's hand, and a worker that looks is done at once."""
    begun = time.monotonic()
    pipeline.deliver()
    return time.monotonic() - begun < 0.5 and not pipeline.client.hlen(pipeline.keys.leases)


@pytest.mark.parametrize(
    ("fault", "rest"),
    [
        ({"headers": True}, None),
        ({"headers": False}, 45),
        ({"headers": False, "body": ""}, 45),
        ({"headers": False, "body": "<html>slow down</html>"}, 45),
    ],
)
def test_a_429_lets_the_key_rest_and_counts_against_nobody(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, fault: dict[str, Any], rest: int | None
) -> None:
    sandbox.fault(kind="throttle", key=PRIMARY_KEY, count=1, **fault)
    [decision] = pipeline.submit(alert("disk") | {"service": "solo"})
    pipeline.deliver()
    assert nobody_waits(pipeline)
    assert pipeline.event(decision.id)["attempts"] == "0"

    due = pipeline.client.zscore(pipeline.keys.outbox_due, pipeline.event(decision.id)["lane"]) - clock.now_ms()
    if rest:
        assert rest * 1000 - 1000 < due <= rest * 1000
    clock.advance(timedelta(milliseconds=due + 1))
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent primary"
    assert failures(pipeline) == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "status": 500},
        {"kind": "error", "status": 503, "body": ""},
        {"kind": "reset"},
        {"kind": "truncated"},
        {"kind": "slow", "delay_seconds": 8},
        {"kind": "reject", "status": 408},
    ],
)
def test_what_may_pass_is_tried_again_and_counts_against_the_endpoint(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, fault: dict[str, Any]
) -> None:
    sandbox.fault(**fault, count=1)
    [decision] = pipeline.submit(alert("disk") | {"service": "solo"})
    pipeline.deliver()
    assert nobody_waits(pipeline)
    assert failures(pipeline) == 1

    clock.advance(2 * SECOND)
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent primary"
    assert failures(pipeline) == 1


def test_a_slow_answer_delivers_the_alert_and_still_counts_against_the_endpoint(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    outbox = pipeline.delivery._outbox
    outbox._breaker = replace(outbox._breaker, slow_after=0.2 * SECOND)
    sandbox.fault(kind="slow", delay_seconds=0.4, count=1)

    [decision] = pipeline.submit(alert("disk") | {"service": "solo"})
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent primary"
    assert failures(pipeline) == 1


def test_a_deleted_routing_key_stops_that_key_and_no_other_alert_of_its_endpoint(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    sandbox.control("DELETE", f"/keys/{PRIMARY_KEY}")
    [first] = pipeline.submit(alert("disk"))
    pipeline.deliver()

    [second] = pipeline.submit(alert("cpu"))
    pipeline.deliver()

    assert {pipeline.state(first.id), pipeline.state(second.id)} == {"sent standby"}
    assert len([e for e in sandbox.log() if e["routing_key"] == PRIMARY_KEY]) == 1
    assert failures(pipeline) == 0
    assert nobody_waits(pipeline)


class Frozen(AsyncChannel):
    """A channel in a process that is stopped in mid-send, and then finds that its time is over."""

    async def asend(self, message: Message) -> Outcome:
        threading.Event().wait(STILL + 0.1)  # holds the whole loop, as SIGSTOP would
        return Outcome("retry", "network:TimeoutError")

    async def aclose(self) -> None:
        pass


def test_a_process_that_stood_still_blames_nobody_else(pipeline: Pipeline) -> None:
    pipeline.delivery._dispatch._channels = {"pagerduty": Frozen()}
    pipeline.submit(alert("disk") | {"service": "solo"})

    pipeline.deliver()

    assert failures(pipeline) == 0
