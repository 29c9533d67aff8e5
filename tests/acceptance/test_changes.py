"""Change events: delivered to PagerDuty's door for them, or dead-lettered; they have no life cycle."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline import DEADLINES, PRIMARY_KEY, STANDBY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.notifications.channels.protocol import Address
    from tasks.notifications.service import Route
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

ORCHESTRATION_KEY = "R0" * 16
CHANGE_PATH = "/v2/change/enqueue"


def change(summary: str = "deployed", service: str = "shop", **more: Any) -> dict[str, Any]:
    payload = {"summary": summary, "source": "ci", "custom_details": {"build": 7}}
    return {"service": service, "event_action": "change", "payload": payload, **more}


class Orchestrated(Pipeline):
    """`shop` leads to an orchestration first, to a service's own key second; `solo` to an orchestration alone."""

    def routes(self) -> dict[str, Route]:
        routes = super().routes()
        orchestration = replace(routes["shop"].addresses[0], keys={"kid-r": ORCHESTRATION_KEY})
        shop: list[Address] = [orchestration, routes["shop"].addresses[1]]
        return {
            "shop": replace(routes["shop"], addresses=shop),
            "solo": replace(routes["solo"], addresses=[orchestration]),
        }


@pytest.fixture
def orchestrated(client: Any, keys: Keys, sandbox: Sandbox) -> Iterator[Orchestrated]:
    for key in (ORCHESTRATION_KEY, STANDBY_KEY):
        sandbox.register(key, key)
    pipeline = Orchestrated(client, keys, sandbox.url)
    yield pipeline
    pipeline.delivery.close()


def test_a_change_event_arrives_whole_at_pagerdutys_door_for_them(pipeline: Pipeline, sandbox: Sandbox) -> None:
    links = [{"href": "https://ci/7", "text": "Build 7"}]
    [decision] = pipeline.submit(change(links=links, team="web"))

    assert pipeline.deliver() == 1

    [entry] = sandbox.log()
    assert (entry["path"], entry["status"], entry["outcome"]) == (CHANGE_PATH, 202, "recorded")
    assert entry["body"] == {
        "routing_key": PRIMARY_KEY,
        "payload": {"summary": "deployed", "source": "ci", "custom_details": {"build": 7}},
        "links": links,
        "team": "web",
    }
    assert pipeline.steps(decision.id) == ["accepted", "attempt", "sent"]
    assert sandbox.incidents() == []


def test_the_same_change_twice_is_two_changes(pipeline: Pipeline, sandbox: Sandbox) -> None:
    ids = pipeline.receive(change(), change())
    pipeline.alerts.drain_inbox()

    assert pipeline.deliver() == 2

    assert [pipeline.state(event_id) for event_id in ids] == ["sent primary", "sent primary"]
    assert len(sandbox.log()) == 2


def test_a_change_leaves_nothing_behind_but_its_event(pipeline: Pipeline, client: Any, keys: Keys) -> None:
    pipeline.submit(change())
    pipeline.deliver()

    assert client.zcard(keys.alerts) == 0
    assert client.hlen(keys.leases) == client.zcard(keys.outbox_due) == client.zcard(keys.queued) == 0
    assert not list(client.scan_iter(f"{keys.prefix}alert:*"))


def test_a_change_is_not_sent_to_an_orchestration_but_to_the_first_channel_that_takes_it(
    orchestrated: Pipeline, sandbox: Sandbox
) -> None:
    [decision] = orchestrated.submit(change())
    [paged] = orchestrated.submit(alert("disk"))

    orchestrated.deliver()

    assert orchestrated.state(decision.id) == "sent standby"
    assert orchestrated.state(paged.id) == "sent primary"
    assert {(e["path"], e["routing_key"]) for e in sandbox.log()} == {
        (CHANGE_PATH, STANDBY_KEY),
        ("/v2/enqueue", ORCHESTRATION_KEY),
    }


def test_a_change_that_no_channel_would_take_is_a_dead_letter_that_says_so(
    orchestrated: Pipeline, sandbox: Sandbox
) -> None:
    [decision] = orchestrated.submit(change(service="solo"))

    assert orchestrated.deliver() == 0

    assert orchestrated.state(decision.id) == "dead no_channel_for_changes"
    assert "give the service a channel" in orchestrated.event(decision.id)["detail"]
    assert sandbox.log() == []


def test_a_change_that_fails_is_tried_again_and_takes_no_other_channel_for_being_late(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="error", status=503, key=PRIMARY_KEY)
    [decision] = pipeline.submit(change())
    pipeline.deliver()
    clock.advance(timedelta(milliseconds=2 * DEADLINES["info"]))
    pipeline.deliver()
    sandbox.heal()
    clock.advance(timedelta(minutes=2))
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent primary"
    assert {e["routing_key"] for e in sandbox.log()} == {PRIMARY_KEY}


def test_a_change_whose_key_is_refused_goes_to_the_next_channel(pipeline: Pipeline, sandbox: Sandbox) -> None:
    sandbox.control("DELETE", f"/keys/{PRIMARY_KEY}")
    [decision] = pipeline.submit(change())

    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent standby"
    assert "next_channel" in pipeline.steps(decision.id)


def test_a_change_refused_by_every_channel_is_a_dead_letter_and_can_be_replayed(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    for key in (PRIMARY_KEY, STANDBY_KEY):
        sandbox.control("DELETE", f"/keys/{key}")
    [decision] = pipeline.submit(change())
    pipeline.deliver()
    assert pipeline.state(decision.id) == "dead key_rejected"

    sandbox.register(PRIMARY_KEY, "Shop")
    clock.advance(timedelta(minutes=11))
    assert pipeline.delivery.replay([decision.id]).replayed == [decision.id]
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent primary"


def test_a_change_whose_content_is_refused_is_sent_in_minimal_form(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.fault(kind="reject", count=1)
    [decision] = pipeline.submit(change())
    pipeline.deliver()
    clock.advance(timedelta(minutes=2))
    pipeline.deliver()

    assert pipeline.state(decision.id) == "sent primary"
    assert sandbox.log()[-1]["body"] == {
        "routing_key": PRIMARY_KEY,
        "payload": {"summary": "deployed", "source": "ci"},
    }


def test_a_throttled_change_waits_for_its_key(pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.fault(kind="throttle", count=1)
    [decision] = pipeline.submit(change())
    assert pipeline.deliver() == 0
    assert pipeline.deliver() == 0

    clock.advance(timedelta(seconds=46))
    assert pipeline.deliver() == 1

    assert pipeline.state(decision.id) == "sent primary"
