"""Actions as tasks, in real workers that are cut off and killed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.incidents.rows import ActionRows
from tests.fleet import Fleet
from tests.integration.rest.kit import SENDER, TOKEN, rest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.incidents.models import ActionView
    from tasks.utils.rest.client import RestClient

KEY = "A" * 32


class Crew:
    """A fleet whose workers act on incidents."""

    def __init__(self, fleet: Fleet, rest: RestClient) -> None:
        self.fleet = fleet
        self.rest = rest
        self.rows = ActionRows(fleet.client, fleet.keys)

    def trigger(self, *dedup_keys: str) -> list[str]:
        """New incidents; their ids."""
        self.fleet.sandbox.register(KEY, "shop")
        for dedup_key in dedup_keys:
            payload = {"summary": "s", "source": "w", "severity": "critical"}
            event = {"routing_key": KEY, "event_action": "trigger", "dedup_key": dedup_key, "payload": payload}
            self.fleet.sandbox.http.post("/v2/enqueue", json=event).raise_for_status()
        return [next(self.rest.incidents.list(incident_key=key, date_range="all"))["id"] for key in dedup_keys]

    def send(self, name: str, task_id: str, *args: Any, **asked: Any) -> None:
        """Send a task as any Celery producer would."""
        self.fleet.producer.send_task(name, args=args, kwargs=asked, task_id=task_id, queue="escalation")

    def is_read(self) -> bool:
        """Whether no message waits, or is in a worker's hands."""
        waiting = self.fleet.client.llen(self.fleet.keys.queue("escalation"))
        unacked = self.fleet.client.keys(self.fleet.keys.queue("*unacked*"))
        return not waiting and not any(self.fleet.client.type(key) == "hash" for key in unacked)

    def ended(self, request_id: str, patience: float = 60) -> ActionView:
        """The action once it has come to its end."""

        def is_over() -> bool:
            view = self.rows.view(request_id)
            return view is not None and view.state != "open"

        self.fleet.wait(is_over, patience, "the action does not end")
        view = self.rows.view(request_id)
        assert view is not None
        return view

    def notes(self, incident_id: str) -> list[str]:
        return [note["content"] for note in self.rest.incidents.notes(incident_id)]


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    options = ("--no-limits",)
    with Fleet(tmp_path, sandbox_options=options, PAGERDUTY_API_KEY=TOKEN, PAGERDUTY_FROM_EMAIL=SENDER) as fleet:
        fleet.environment["PAGERDUTY_API_URL"] = fleet.sandbox.url
        fleet.environment["TOCSIN_PAGERDUTY__CIRCUIT_BREAKER__RECOVERY_TIMEOUT"] = "1s"
        with rest_of(fleet.client, fleet.keys, fleet.sandbox.url) as rest:
            yield Crew(fleet, rest)


def test_a_task_sent_twice_acts_once_and_answers_alike(crew: Crew) -> None:
    a, b = crew.trigger("a", "b")
    crew.fleet.start_workers("delivery")

    for _ in range(2):
        crew.send("incidents.acknowledge", "t1", [a, b], note="on it")
    answers = crew.ended("t1").answers
    crew.fleet.wait(crew.is_read, 30, "the second message is not read")

    assert [one.outcome for one in answers] == ["done", "done"]
    assert [crew.notes(one) for one in (a, b)] == [["on it"], ["on it"]]


def test_what_is_asked_during_an_outage_is_done_after_it(crew: Crew) -> None:
    [a] = crew.trigger("a")
    crew.fleet.start_workers("delivery")
    crew.fleet.sandbox.fault(kind="outage")

    crew.send("incidents.resolve", "t1", a, note="fixed")
    crew.fleet.wait(lambda: (view := crew.rows.view("t1")) and view.tries, 30, "nobody tries")
    crew.fleet.sandbox.heal()

    assert crew.ended("t1").state == "done"
    assert crew.rest.incidents.get(a)["status"] == "resolved"
    assert crew.notes(a) == ["fixed"]


def test_a_worker_killed_in_mid_action_is_followed_by_one_that_does_the_rest(crew: Crew) -> None:
    ids = crew.trigger(*(f"k{number}" for number in range(12)))
    crew.fleet.start_workers("delivery")
    crew.fleet.sandbox.fault(kind="slow", delay_seconds=0.2, path="/incidents")

    crew.send("incidents.note", "t1", ids, "the cable was loose")
    crew.fleet.wait(lambda: crew.rows.view("t1") and len(done(crew)) >= 3, 30, "nothing is done")
    crew.fleet.kill("delivery")
    crew.fleet.sandbox.heal()
    before = len(done(crew))
    crew.fleet.client.incrby(crew.fleet.keys.clock, 61_000)  # its lease is over
    crew.fleet.start_workers("delivery")

    assert before < 12
    assert crew.ended("t1").state == "done"
    assert [crew.notes(one) for one in ids] == [["the cable was loose"]] * 12


def done(crew: Crew) -> list[str]:
    """What of the action is done."""
    view = crew.rows.view("t1")
    return [one.target for one in view.answers if one.outcome == "done"] if view else []
