"""While the cause is open, its consequences are held back; when it ends, what still fires is delivered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.matchers import Matcher
from tasks.alerts.holds import Inhibition
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

HOST_DOWN = Inhibition(
    "host-down", (Matcher.parse("class=HostDown"),), (Matcher.parse("class!=HostDown"),), ("source",)
)


@pytest.fixture
def ruled(pipeline: Pipeline) -> Pipeline:
    pipeline.ruled_by(inhibitions=[HOST_DOWN])
    return pipeline


def host_down(host: str = "web1", action: str = "trigger") -> dict[str, Any]:
    return alert(f"down-{host}", action, **({"source": host, "class": "HostDown"} if action == "trigger" else {}))


def test_a_consequence_is_held_back_and_sent_when_the_cause_ends(ruled: Pipeline, sandbox: Sandbox) -> None:
    ruled.submit(host_down())
    [held] = ruled.submit(alert("disk"))
    [elsewhere] = ruled.submit(alert("disk-2", source="web2"))
    ruled.deliver()

    assert (held.state, held.reason) == ("suppressed", "inhibition:host-down")
    assert elsewhere.state == "queued"

    ruled.submit(host_down(action="resolve"))
    assert ruled.alerts.drain_inbox().released == 1
    ruled.deliver()

    assert sorted(e["dedup_key"] for e in sandbox.log() if e["event_action"] == "trigger") == [
        "disk",
        "disk-2",
        "down-web1",
    ]


def test_a_cause_does_not_inhibit_itself(pipeline: Pipeline) -> None:
    same = (Matcher.parse("class=HostDown"),)
    pipeline.ruled_by(inhibitions=[Inhibition("self", same, same, ("source",))])

    [first] = pipeline.submit(host_down())
    [again] = pipeline.submit({**host_down(), "payload": {**host_down()["payload"], "summary": "still down"}})

    assert (first.state, again.state) == ("queued", "queued")


def test_it_is_undone_only_when_the_last_cause_ends(ruled: Pipeline) -> None:
    second = {**host_down(), "dedup_key": "down-web1-too"}
    ruled.submit(host_down(), second)
    [held] = ruled.submit(alert("disk"))

    ruled.submit(host_down(action="resolve"))
    assert ruled.alerts.drain_inbox().released == 0
    ruled.submit({**host_down(action="resolve"), "dedup_key": "down-web1-too"})
    assert ruled.alerts.drain_inbox().released == 1
    assert ruled.event(held.id)["state"] == "queued"


def test_a_cause_whose_labels_change_inhibits_no_more(ruled: Pipeline) -> None:
    ruled.submit(host_down())
    ruled.submit(alert("disk"))

    changed = host_down()
    changed["payload"]["class"] = "HostSlow"
    ruled.submit(changed)

    assert ruled.alerts.drain_inbox().released == 1


def test_a_cause_that_became_a_dead_letter_does_not_inhibit(ruled: Pipeline, sandbox: Sandbox) -> None:
    sandbox.fault(kind="reject", key=PRIMARY_KEY)
    sandbox.fault(kind="reject", key=STANDBY_KEY)
    ruled.submit(host_down())
    [held] = ruled.submit(alert("disk"))
    for _ in range(4):
        ruled.deliver()
    sandbox.heal()

    assert ruled.client.zcard(ruled.keys.dead) == 1
    assert ruled.alerts.drain_inbox().released == 1
    assert ruled.event(held.id)["state"] == "queued"


def test_a_cause_that_is_forgotten_does_not_inhibit(ruled: Pipeline, clock: MovableClock) -> None:
    ruled.submit(host_down())
    ruled.deliver()
    ruled.submit(alert("disk"))
    clock.advance(timedelta(days=400))

    from tasks.utils.scripts import Scripts

    Scripts(ruled.client, ruled.keys).run("archive_alerts", 1000, 1000, 100)

    assert ruled.alerts.drain_inbox().released == 1
