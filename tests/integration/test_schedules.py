"""The schedule as processes: two beats, a worker, a server that loses everything, on a clock that is moved."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tasks.utils.clock import MovableClock
from tests.fleet import Fleet

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = timedelta(minutes=1)


class Town:
    """A fleet with a maintenance worker, and its clock."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.clock = MovableClock(fleet.client, fleet.keys)

    def beats(self, *names: str) -> None:
        for name in names:
            self.fleet.start("beat", name=name)
        for name in names:
            log = self.fleet.folder / f"{name}.log"
            self.fleet.wait(lambda log=log: "beat_ready" in log.read_text(), 30, f"{name} does not come up")

    def to(self, second: int) -> datetime:
        """Move on to that second of the next minute; the minute."""
        now = self.clock.now()
        minute = now.replace(second=0, microsecond=0) + MINUTE
        self.clock.advance(minute + timedelta(seconds=second) - now)
        return minute

    def lose_everything(self) -> None:
        """Flush the server, on which the clock goes on; somebody has noticed when this returns."""
        offset = self.fleet.client.get(self.fleet.keys.clock) or 0
        with self.fleet.client.pipeline(transaction=True) as pipe:
            pipe.flushall()
            pipe.set(self.fleet.keys.clock, offset)
            pipe.execute()
        self.fleet.wait(lambda: self.fleet.client.exists(self.fleet.keys.epoch), 15, "nobody notices")

    def runs(self, entry: str = "ledger-seal") -> Counter[str]:
        """How often each slot was run, as the worker's log has it."""
        log = (self.fleet.folder / "maintenance.log").read_text().splitlines()
        told = [json.loads(line) for line in log if '"event": "scheduled_run"' in line]
        return Counter(one["slot"] for one in told if one["entry"] == entry)

    @staticmethod
    def slot(minute: datetime) -> str:
        return f"ledger-seal@{minute:%Y-%m-%dT%H:%MZ}"

    def has_run(self, minute: datetime, patience: float = 15) -> None:
        slot = self.slot(minute)
        self.fleet.wait(lambda: self.runs()[slot], patience, f"{slot} does not run")


def test_two_beats_one_killed_then_the_other_and_the_server_flushed_run_every_slot_once(tmp_path: Path) -> None:
    with Fleet(tmp_path, LOG_LEVEL="INFO", TOCSIN_OWN_ALERTS__EVERY="500ms") as fleet:
        town = Town(fleet)
        town.to(30)
        fleet.start("worker", "maintenance", name="maintenance")
        town.beats("one", "two")
        fleet.wait_for_workers(1)
        due = [town.to(1)]
        town.has_run(due[-1])
        due.append(town.to(1))
        town.has_run(due[-1])

        fleet.kill("one")
        due.append(town.to(1))
        town.has_run(due[-1])
        town.lose_everything()  # after the run: it must not be run again
        fleet.start("beat", name="one")
        town.clock.advance(timedelta(seconds=25))
        due.append(town.to(1))
        town.has_run(due[-1])
        fleet.kill("maintenance")
        due.append(town.to(1))
        queue = fleet.keys.queue("maintenance")
        fleet.wait(lambda: fleet.client.llen(queue), 15, "the beats do not send")
        town.lose_everything()  # before the run: it must be run all the same
        fleet.start("worker", "maintenance", name="maintenance")
        fleet.start("sentinel")
        town.clock.advance(timedelta(seconds=25))
        town.has_run(due[-1], 30)
        due.append(town.to(1))
        town.has_run(due[-1])
        fleet.kill("one")
        fleet.kill("two")
        due.append(town.to(25))  # nobody is left but the sentinel
        town.has_run(due[-1], 30)

        assert town.runs() == {town.slot(minute): 1 for minute in due}


@pytest.mark.slow
def test_in_real_time_every_minute_is_run_once_while_beats_are_killed_and_the_server_is_flushed(tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("SEED", "1")))
    with Fleet(tmp_path, LOG_LEVEL="INFO") as fleet:
        fleet.start_workers("maintenance", "delivery")
        fleet.start("sentinel")
        town = Town(fleet)
        town.beats("one", "two")
        first = town.clock.now().replace(second=0, microsecond=0) + MINUTE

        for minute in range(6):
            end = first + (minute + 1) * MINUTE
            moment = first + minute * MINUTE + timedelta(seconds=chance.uniform(1, 55))
            fleet.wait(lambda moment=moment: town.clock.now() >= moment, 120, "time stands still")
            if minute in (1, 3):
                fleet.kill("one")
            if minute in (2, 4):
                town.beats("one")
            if minute == 4:
                fleet.kill("two")
                town.lose_everything()
            fleet.wait(lambda end=end: town.clock.now() >= end, 120, "time stands still")
        last = first + 5 * MINUTE
        town.has_run(last)

        due = [first + number * MINUTE for number in range(6)]
        assert {slot: count for slot, count in town.runs().items() if slot <= town.slot(last)} == {
            town.slot(minute): 1 for minute in due
        }
