"""Plain Celery producers, saturated workers, kills at random moments: what a message carried is never lost with it."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.chaos.kit.losses import verdicts_of
from tests.chaos.kit.stage import QUICK
from tests.fleet import Fleet
from tests.witnesses import hear

if TYPE_CHECKING:
    from pathlib import Path

WORKERS = ("alert-1", "alert-2", "delivery")
SEED = int(os.environ.get("SEED", "1"))
SINK = ("--no-limits", "--sink")


def start(fleet: Fleet, name: str) -> None:
    fleet.start("worker", name.partition("-")[0], name=name)


def survive(folder: Path, *, messages: int, kills: int, seed: int) -> None:
    """Fill the queue as a plain producer, kill workers while it drains, then ask the three witnesses."""
    chance = random.Random(seed)
    with Fleet(folder, sandbox_options=SINK, **QUICK) as fleet:
        wanted = {f"m{number}" for number in range(messages)}
        for key in sorted(wanted):
            payload = {"summary": key, "source": "chaos", "severity": "critical"}
            fleet.submit({"service": "checkout", "event_action": "trigger", "dedup_key": key, "payload": payload})
        for name in WORKERS:
            start(fleet, name)
        for number in range(kills):
            progress = int(messages * (number + chance.uniform(0.2, 0.8)) / kills)
            fleet.wait(lambda progress=progress: fleet.ended() >= progress, 180, f"no progress beyond {fleet.ended()}")
            name = chance.choice(WORKERS)
            fleet.kill(name)
            start(fleet, name)
        fleet.wait(lambda: fleet.is_idle() and fleet.ended() >= messages, 180, "messages wait for ever")

        told = hear(wanted, fleet.sandbox.log(), verdicts_of(fleet))
        assert len(told.duplicates) <= kills * fleet.in_flight
        told.duplicates.clear()
        assert told.nothing_wrong, told


def test_no_message_is_lost_while_workers_are_killed(tmp_path: Path) -> None:
    survive(tmp_path, messages=400, kills=2, seed=SEED)


@pytest.mark.slow
def test_none_of_20000_messages_is_lost_in_25_kills(tmp_path: Path) -> None:
    survive(tmp_path, messages=int(os.environ.get("MESSAGES", "20000")), kills=25, seed=SEED)
