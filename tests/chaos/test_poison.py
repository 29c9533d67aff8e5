"""Messages that kill their workers: they end as dead letters with their last words, and take nobody along."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.chaos.kit.stage import QUICK
from tests.conftest import ROOT
from tests.fleet import Fleet

if TYPE_CHECKING:
    from pathlib import Path

PATIENT_FOR = 2  # times a message may come back
QUICK_BACK = {
    **QUICK,
    "TOCSIN_WORKERS__ALERT__VISIBILITY_TIMEOUT": "4s",
    "TOCSIN_DELIVERY__MAX_DELIVERIES": str(PATIENT_FOR),
}


class Worker:
    """A worker that is started anew whenever it dies, as a supervisor would."""

    def __init__(self, fleet: Fleet, *words: str) -> None:
        self._fleet = fleet
        self._words = words
        self.deaths = 0
        self._start()

    def look_after(self) -> None:
        if self._fleet.processes["poison"].poll() is not None:
            self.deaths += 1
            self._start()

    def _start(self) -> None:
        with (self._fleet.folder / "poison.log").open("ab") as log:
            self._fleet.processes["poison"] = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.poison_worker", *self._words],
                env=self._fleet.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def send(fleet: Fleet, *keys: str) -> list[str]:
    """One message for each; the event ids."""
    ids = []
    for key in keys:
        payload = {"summary": f"{key} is full", "source": "chaos", "severity": "critical"}
        alert = {"service": "checkout", "event_action": "trigger", "dedup_key": key, "payload": payload}
        task = fleet.producer.send_task("alerts.try_out", kwargs={"alerts": [alert]}, queue="alert", time_limit=1)
        ids.append(f"{task.id}:0")
    return ids


def states(fleet: Fleet, ids: list[str]) -> list[str]:
    rows = [fleet.client.hmget(fleet.keys.event(one), "state", "reason") for one in ids]
    return [f"{state} {reason}" for state, reason in rows if state]


@pytest.mark.parametrize("poisons", [1, 2])
def test_a_message_that_kills_its_worker_takes_no_other_in_its_hands_along(tmp_path: Path, poisons: int) -> None:
    with Fleet(tmp_path, **QUICK_BACK) as fleet:
        good = [f"good-{number}" for number in range(4 - poisons)]
        bad = [f"poison-{number}" for number in range(poisons)]
        ids = send(fleet, *good, *bad)
        worker = Worker(fleet, "4")

        def over() -> bool:
            worker.look_after()
            return len(states(fleet, ids)) == len(ids)

        fleet.wait(over, 90, "not everything came to an end")
        dead = dict(zip(ids, states(fleet, ids), strict=True))
        words = fleet.client.hgetall(fleet.keys.event(ids[-1]))

        assert [dead[one] for one in ids[: len(good)]] == ["queued "] * len(good)
        assert [dead[one] for one in ids[len(good) :]] == ["dead poison"] * len(bad)
        assert worker.deaths == 1 + PATIENT_FOR * poisons
        assert "was never finished" in words["detail"]
        assert (words["service"], words["summary"]) == ("checkout", f"{bad[-1]} is full")
        assert int(words["received"]) < int(fleet.client.zscore(fleet.keys.dead, ids[-1]))


def test_what_kills_a_child_of_its_worker_or_never_ends_is_a_dead_letter_in_the_end(tmp_path: Path) -> None:
    with Fleet(tmp_path, **QUICK_BACK) as fleet:
        ids = send(fleet, "good", "poison", "hang")
        worker = Worker(fleet, "2", "prefork")

        def over() -> bool:
            worker.look_after()
            return len(states(fleet, ids)) == len(ids)

        fleet.wait(over, 90, "not everything came to an end")

        assert states(fleet, ids) == ["queued ", "dead poison", "dead poison"]
        assert worker.deaths == 0
