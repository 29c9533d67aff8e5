"""The real fleet: while an alert flows each second every kind of key is replaced, by processes that are killed. Nothing fails.

PagerDuty's limits hold meanwhile. `SEED` chooses the random points.
"""

from __future__ import annotations

import json
import os
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.rotation_fleet import RotationFleet, Sender

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEPS = ("wait_known", "prove", "switch", "wait_unused")
KINDS = ("integration", "orchestration", "webhook", "ingest", "jwt")
RANDOM_KILLS = 20
LINGER = (0.05, 0.3, 1.5)  # seconds after it was begun, or gone on with, within which a rotation is killed


@contextmanager
def flowing(folder: Path, kind: str) -> Iterator[RotationFleet]:
    """A fleet with an alert a second; in the end all is looked at."""
    with RotationFleet(folder, orchestrated=kind == "orchestration") as fleet:
        fleet.start_all()
        sender = Sender(fleet, every=1.0)
        sender.start()
        yield fleet
        check(fleet, sender, kind)


def check(fleet: RotationFleet, sender: Sender, kind: str) -> None:
    """All that was sent has come to PagerDuty, and every end went to the key that opened."""
    sender.end()
    fleet.wait(fleet.is_idle, 60, "something is still to be sent")
    told = fleet.witnesses(sender.accepted, sender.resolved_there)
    assert told.nothing_wrong, told
    assert sender.refused == []
    events = [one for one in fleet.sandbox.log() if one["path"] == "/v2/enqueue"]
    assert {one["status"] for one in events} == {202}
    alerts = [one for one in events if one["dedup_key"].startswith("alert-")]
    opened = {one["dedup_key"]: one["routing_key"] for one in alerts if one["event_action"] == "trigger"}
    closed = {one["dedup_key"]: one["routing_key"] for one in alerts if one["event_action"] == "resolve"}
    assert {key: opened[key] for key in closed} == closed
    assert opened.keys() == closed.keys() | set(sender.resolved_there)
    assert (len(set(opened.values())) > 1) == (kind in ("integration", "orchestration"))
    assert {one["status"] for one in fleet.incidents()} == {"resolved"}
    fleet.wait(lambda: json.loads(fleet.tokens("alerts", "open", "--json")) == [], 30, "an alert is not ended here")
    assert len(fleet.tokens("webhooks", "list").splitlines()) == 2
    if kind == "orchestration":
        homes = {one["title"].partition(" ")[0]: one["service"]["summary"] for one in fleet.incidents()}
        assert homes == {key: "Database" if int(key[6:]) % 2 else "Web" for key in homes}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_replaced_by_processes_that_are_killed_at_each_step_while_alerts_flow(
    tmp_path: Path, kind: str
) -> None:
    with flowing(tmp_path, kind) as fleet:
        killed = fleet.killed_at_work("make", "rotate", kind)
        killed += sum(fleet.killed_at_work(step, "resume") for step in STEPS)
        fleet.finish(300)

        assert killed >= 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_replaced_again_and_again_by_processes_that_are_killed_at_random_while_alerts_flow(
    tmp_path: Path, kind: str
) -> None:
    dice = random.Random(int(os.environ.get("SEED", "1")))
    with flowing(tmp_path, kind) as fleet:
        killed = 0
        with fleet.dying(kind) as die:
            while killed < RANDOM_KILLS:
                if die(dice.random() * dice.choice(LINGER)) and fleet.step():  # it had begun when it was killed
                    killed += 1
                if kind == "ingest" and fleet.step() == "wait_unused":
                    fleet.hand_over()
        fleet.finish(300)
