"""Faults of processes, planted in real ones all at once: a stopped worker, a deaf one, a killed group, a stopped beat."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.fleet import Fleet
from tests.program import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    Lines = dict[str, dict[str, Any]]

LATER = 60_000  # ms


class Broken:
    """What a shell was told of a fleet while it was well, and after the faults."""

    def __init__(self, fleet: Fleet) -> None:
        self.pids = {name: process.pid for name, process in fleet.processes.items()}
        self.well_code, self.well = ask(fleet)
        os.kill(self.pids["webhook"], signal.SIGSTOP)
        fleet.producer.control.cancel_consumer("alert", reply=True, timeout=3, limit=4)
        fleet.submit({"service": "default", "event_action": "trigger"})
        fleet.kill("maintenance")
        fleet.stop("beat")
        fleet.client.incrby(fleet.keys.clock, LATER)
        fleet.wait(lambda: heard_of(fleet) >= {"worker-alert", "worker-delivery"}, 15, "nobody shows itself")
        self.code, self.lines = ask(fleet)
        os.kill(self.pids["webhook"], signal.SIGCONT)
        fleet.wait(lambda: "worker-webhook" in heard_of(fleet), 15, "the stopped worker does not go on")
        _, self.healed = ask(fleet)


def heard_of(fleet: Fleet) -> set[str]:
    """Who has shown itself since the clock was moved."""
    seen = [json.loads(said) for said in fleet.client.hvals(fleet.keys.presence)]
    now = int(fleet.client.time()[0]) * 1000 + int(fleet.client.get(fleet.keys.clock) or 0)
    return {one["role"] for one in seen if now - one["at"] < LATER / 2}


def ask(fleet: Fleet) -> tuple[int, Lines]:
    done = run("health", "--json", environment=fleet.environment)
    return done.returncode, {line["name"]: line for line in json.loads(done.stdout)["checks"]}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    with Fleet(tmp_path_factory.mktemp("fleet"), TOCSIN_WATCHDOG__DEAF_AFTER="20s") as fleet:
        fleet.start("beat")
        fleet.start_workers("alert", "webhook", "delivery", "maintenance")
        wanted = {"worker-alert", "worker-webhook", "worker-delivery", "worker-maintenance", "beat"}
        fleet.wait(lambda: heard_of(fleet) >= wanted, 15, "nobody shows itself")
        yield Broken(fleet)


def test_a_fleet_that_works_is_well_in_all_its_processes(broken: Broken) -> None:
    names = ["workers.alert", "workers.webhook", "workers.delivery", "workers.maintenance", "processes.beat"]

    assert {broken.well[name]["state"] for name in names} == {"ok"}


def test_a_stopped_worker_is_told_from_a_dead_one_and_is_well_once_it_goes_on(broken: Broken) -> None:
    line = broken.lines["workers.webhook"]

    assert line["state"] == "fail"
    assert "stopped" in line["value"]
    assert f"kill -CONT {broken.pids['webhook']}" in line["mend"]
    assert broken.healed["workers.webhook"]["state"] == "ok"


def test_a_worker_that_lives_and_takes_nothing_is_deaf(broken: Broken) -> None:
    line = broken.lines["workers.alert"]

    assert line["state"] == "fail"
    assert "deaf: took nothing for" in line["value"]
    assert f"kill -9 {broken.pids['alert']}" in line["mend"]


def test_a_worker_with_nothing_to_take_is_not_deaf(broken: Broken) -> None:
    assert broken.lines["workers.delivery"]["state"] == "ok"


def test_a_group_whose_workers_were_killed_is_named(broken: Broken) -> None:
    line = broken.lines["workers.maintenance"]

    assert (line["state"], line["value"]) == ("fail", "none runs")
    assert line["mend"] == "start `tocsin worker maintenance`"


def test_a_stopped_beat_is_named(broken: Broken) -> None:
    line = broken.lines["processes.beat"]

    assert line["state"] == "fail"
    assert "start `tocsin beat`" in line["mend"]


def test_the_exit_code_says_that_it_fails(broken: Broken) -> None:
    assert broken.code == 1
