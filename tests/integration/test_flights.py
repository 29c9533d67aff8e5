"""Several sends under way in one drain: each lane in one hand, its order kept, its outcome recorded, or its lease left to fall due."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.notifications.channels.protocol import AsyncChannel
from tasks.notifications.dispatch import Dispatch
from tasks.notifications.letters import Letters
from tasks.notifications.service import LANES_A_DRAIN, DeliveryService
from tasks.utils.notification_builder import NotificationBuilder
from tasks.utils.rows import Outcome
from tests.pipeline import Pipeline, alert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tasks.notifications.channels.protocol import Channel, Message
    from tasks.notifications.flights import Flight, Flights
    from tasks.notifications.models import DrainReport
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tasks.utils.rows import Done

PATIENCE = 10.0  # seconds


@dataclass
class Gate:
    """A channel that takes its time: a send lands when the gate opens, and tells how many were under way with it."""

    opened: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    seen: list[str] = field(default_factory=list)
    under_way: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, message: Message) -> Outcome:
        with self.lock:
            self.seen.append(f"{message.alert['event_action']} {message.alert['dedup_key']}")
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        self.arrived.release()
        self.opened.wait(PATIENCE)
        with self.lock:
            self.under_way -= 1
        return Outcome("sent")

    def close(self) -> None:
        self.opened.set()


class Broken(AsyncChannel):
    """A channel that breaks the rule that channels never raise."""

    async def asend(self, message: Message) -> Outcome:
        if message.alert["dedup_key"] == "bad":
            raise ZeroDivisionError
        return Outcome("sent")

    async def aclose(self) -> None:
        pass


class KilledError(Exception):
    """The worker is gone, and nothing is recorded any more."""


class Dying(DeliveryService):
    """Dies with all it has begun where one certain message is among it."""

    def _land(self, flights: Flights, starting: Sequence[Flight], report: DrainReport) -> list[Done]:
        if any(flight.message.alert["dedup_key"] == "killer" for flight in starting):
            raise KilledError
        return super()._land(flights, starting, report)


@pytest.fixture
def pipeline(client: Any, keys: Keys) -> Iterator[Pipeline]:
    made = Pipeline(client, keys, "http://127.0.0.1:1")
    yield made
    made.delivery.close()


def delivery(
    pipeline: Pipeline, channel: Channel, in_flight: int = 32, made: type[DeliveryService] = DeliveryService
) -> DeliveryService:
    letters = Letters(pipeline.client, pipeline.keys, NotificationBuilder)
    dispatch = Dispatch({"pagerduty": channel}, letters, in_flight)
    pipeline.delivery.close()
    rules, teller = pipeline.delivery._rules, pipeline.delivery._teller
    pipeline.delivery = made(pipeline.client, pipeline.keys, pipeline.routes(), dispatch, rules, teller)
    return pipeline.delivery


def test_many_drains_hand_out_each_lane_once(pipeline: Pipeline) -> None:
    gate = Gate()
    gate.opened.set()
    drains = delivery(pipeline, gate)
    pipeline.submit(*(alert(f"k{n}") for n in range(200)))

    with ThreadPoolExecutor(8) as threads:
        sent = sum(report.result().sent for report in [threads.submit(drains.drain) for _ in range(8)])

    assert sent == 200
    assert Counter(gate.seen) == {f"trigger k{n}": 1 for n in range(200)}


def test_no_more_are_under_way_than_the_worker_may_have(pipeline: Pipeline) -> None:
    gate = Gate()
    drains = delivery(pipeline, gate, in_flight=20)
    pipeline.submit(*(alert(f"k{n}") for n in range(60)))

    with ThreadPoolExecutor(3) as threads:
        reports = [threads.submit(drains.drain) for _ in range(3)]
        for _ in range(20):
            assert gate.arrived.acquire(timeout=PATIENCE)
        gate.opened.set()
        sent = sum(report.result().sent for report in reports)

    assert gate.most == 20
    assert sent == 60


def test_one_drain_has_several_under_way_and_waits_for_none_of_them_alone(pipeline: Pipeline) -> None:
    gate = Gate()
    drains = delivery(pipeline, gate)
    pipeline.submit(*(alert(f"k{n}") for n in range(LANES_A_DRAIN)))

    with ThreadPoolExecutor(1) as threads:
        report = threads.submit(drains.drain)
        for _ in range(LANES_A_DRAIN):
            assert gate.arrived.acquire(timeout=PATIENCE)
        gate.opened.set()

        assert report.result().sent == LANES_A_DRAIN


def test_the_events_of_one_key_arrive_in_order_while_others_fly_beside_them(pipeline: Pipeline) -> None:
    gate = Gate()
    gate.opened.set()
    drains = delivery(pipeline, gate)
    for action in ("trigger", "acknowledge", "resolve"):
        pipeline.submit(*(alert(f"k{n}", action) for n in range(30)))
        drains.drain() if action == "trigger" else None

    with ThreadPoolExecutor(4) as threads:
        [report.result() for report in [threads.submit(drains.drain) for _ in range(4)]]

    for n in range(30):
        assert [seen.split()[0] for seen in gate.seen if seen.split()[1] == f"k{n}"] == [
            "trigger",
            "acknowledge",
            "resolve",
        ]


def test_what_a_dead_drain_had_begun_falls_due_again_when_its_lease_ends(
    pipeline: Pipeline, clock: MovableClock
) -> None:
    gate = Gate()
    gate.opened.set()
    drains = delivery(pipeline, gate)
    pipeline.submit(*(alert(f"k{n}") for n in range(10)))
    lease, plan = drains._rules.lease, drains._plans["shop"]
    claims = drains._outbox.claim(10, lease, "dead")
    assert len(drains._outbox.begin([(claim, plan) for claim in claims], "dead").attempts) == 10

    assert drains.drain().sent == 0
    clock.advance(lease)

    assert drains.drain().sent == 10


def test_what_was_beside_a_row_that_kills_its_workers_is_sent_and_the_row_is_found_out(
    pipeline: Pipeline, clock: MovableClock
) -> None:
    gate = Gate()
    gate.opened.set()
    drains = delivery(pipeline, gate, made=Dying)
    decisions = pipeline.submit(*(alert(f"k{n}") for n in range(8)), alert("killer"))

    for _ in range(7):
        with suppress(KilledError):
            drains.drain()
        clock.advance(drains._rules.lease)

    assert [pipeline.event(one.id)["state"] for one in decisions] == ["sent"] * 8 + ["dead"]
    assert pipeline.state(decisions[-1].id) == "dead poison"


def test_a_flight_that_starts_too_late_for_its_lease_is_not_sent(pipeline: Pipeline) -> None:
    gate = Gate()
    drains = delivery(pipeline, gate)
    [decision] = pipeline.submit(alert("disk"))
    [claim] = drains._outbox.claim(1, drains._rules.lease, "frozen")

    [flight], _ = drains._begin([claim], "frozen", -1e9)
    with drains._dispatch.flights(1) as flights:
        [(_, outcome)] = flights.fly([flight])

    assert (outcome.verb, outcome.reason) == ("retry", "lease_too_short")
    assert gate.seen == []
    assert pipeline.state(decision.id) == "queued"


def test_a_channel_that_fails_badly_costs_the_others_nothing(pipeline: Pipeline) -> None:
    drains = delivery(pipeline, Broken())
    decisions = pipeline.submit(alert("good"), alert("bad"), alert("fine"))

    with pytest.raises(ZeroDivisionError):
        drains.drain()

    assert [pipeline.state(one.id) for one in decisions] == ["sent primary", "queued", "sent primary"]


def test_a_busy_drain_answers_no_hint_between_its_first_claim_and_the_one_that_finds_nothing(
    pipeline: Pipeline,
) -> None:
    outbox = pipeline.delivery._outbox
    pipeline.submit(alert("a"), alert("b"))
    lease = timedelta(seconds=30)
    hinted = lambda: pipeline.client.hexists(pipeline.keys.hints, "delivery")  # noqa: E731

    outbox.claim(1, lease, "t", answers_hint=False)
    assert hinted()
    outbox.claim(1, lease, "t", answers_hint=False)
    assert hinted()

    outbox.claim(1, lease, "t", answers_hint=False)
    assert not hinted()


def test_a_drain_whose_time_is_up_calls_its_successor(pipeline: Pipeline, clock: MovableClock) -> None:
    outbox = pipeline.delivery._outbox
    pipeline.submit(alert("a"))
    queue = pipeline.keys.queue("delivery")
    pipeline.client.delete(queue)
    clock.advance(timedelta(milliseconds=100))

    assert outbox.claim(0, timedelta(seconds=30), "t") == []

    assert pipeline.client.llen(queue) == 1
