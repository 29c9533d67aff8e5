"""Workers are killed without warning, over and over, while alerts flow in over HTTP. Judged by three witnesses."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Strike = Callable[[Fleet, random.Random], None]

SEED = int(os.environ.get("SEED", "1"))
MINUTES = float(os.environ.get("MINUTES", "5"))
GROUPS = ("alert", "delivery")
IN_FLIGHT = 32  # sends a delivery worker may have begun when it dies: delivery.in_flight
QUICK = {
    "TOCSIN_DELIVERY__LEASE": "5s",
    "TOCSIN_DELIVERY__DEADLINE": "3s",
    "TOCSIN_WORKERS__ALERT__VISIBILITY_TIMEOUT": "8s",
    "TOCSIN_WORKERS__DELIVERY__VISIBILITY_TIMEOUT": "8s",
}


@dataclass
class Driver:
    """The first witness: what it was told is accepted."""

    fleet: Fleet
    url: str
    key: str
    accepted: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: int = 0

    def send(self, client: httpx.Client, action: str, dedup_key: str) -> None:
        """Send one event until it is accepted, as senders do."""
        body: dict[str, Any] = {"routing_key": self.key, "event_action": action, "dedup_key": dedup_key}
        if action == "trigger":
            body["payload"] = {"summary": dedup_key, "source": "chaos", "severity": "critical"}
        while (answer := client.post(f"{self.url}/v2/enqueue", json=body)).status_code == 503:
            self.refused += 1
            time.sleep(0.1)
        answer.raise_for_status()
        self.accepted[action, dedup_key] += 1


def arrived(fleet: Fleet) -> dict[str, list[str]]:
    """The second witness, PagerDuty: the actions that reached it, by dedup key, in order of arrival."""
    story: dict[str, list[str]] = {}
    for entry in fleet.sandbox.log():
        if entry["path"] == "/v2/enqueue" and entry["status"] == 202:
            story.setdefault(entry["dedup_key"], []).append(entry["event_action"])
    return story


def states(fleet: Fleet) -> Counter[str]:
    """The third witness, the rows the ledger is about: how every accepted event ended."""
    ids = [*fleet.client.zrange(fleet.keys.closed, 0, -1), *fleet.client.zrange(fleet.keys.dead, 0, -1)]
    pipe = fleet.client.pipeline(transaction=False)
    for event_id in ids:
        pipe.hmget(fleet.keys.event(event_id), "state", "reason")
    return Counter(state if state == "sent" else f"{state} {reason}" for state, reason in pipe.execute())


def flow(folder: Path, *, alerts: int, kills: int, seed: int, strike: Strike | None = None) -> None:
    """Send triggers, later their resolves, while something is struck down now and then; then ask the witnesses."""
    strike = strike or kill_worker
    chance = random.Random(seed)
    with Fleet(folder, sandbox_options=("--no-limits",), **QUICK) as fleet:
        fleet.start_workers(*GROUPS)
        url = fleet.start_gateway()
        ingest = fleet.settings.services["checkout"].ingest_keys[0].get_secret_value()
        driver = Driver(fleet, url, ingest)
        deaths = sorted(chance.sample(range(1, alerts * 2), kills))
        keys = [f"alert-{number}" for number in range(alerts)]
        with httpx.Client(timeout=10) as client:
            for turn in range(alerts * 2):
                if turn and turn in deaths:
                    strike(fleet, chance)
                if turn < alerts:
                    driver.send(client, "trigger", keys[turn])
                    continue
                key = keys[turn - alerts]
                if turn == alerts:
                    fleet.wait(lambda: revive(fleet) and len(arrived(fleet)) == alerts, 120, "triggers are missing")
                driver.send(client, "resolve", key)
        fleet.wait(
            lambda: revive(fleet) and fleet.is_idle() and fleet.ended() >= 2 * alerts, 120, "events wait for ever"
        )
        judge(fleet, driver, alerts, kills)


def revive(fleet: Fleet) -> bool:
    """Start anew what ended by itself, as a supervisor does: a worker that comes up while the server is away exits with 69."""
    for group in GROUPS:
        if fleet.processes[group].poll() is not None:
            fleet.start("worker", group, name=group)
    return True


def kill_worker(fleet: Fleet, chance: random.Random) -> None:
    """Kill one worker as the kernel would, and start it anew as a supervisor would."""
    group = chance.choice(GROUPS)
    fleet.kill(group)
    fleet.start("worker", group, name=group)


def restart_server(fleet: Fleet, chance: random.Random) -> None:
    """Kill the server in the middle of it all; it comes back with what its append-only file holds."""
    del chance
    fleet.server.kill()
    fleet.server.restart()


def anything(fleet: Fleet, chance: random.Random) -> None:
    """One of the strikes."""
    chance.choice((kill_worker, kill_worker, restart_server))(fleet, chance)


def judge(fleet: Fleet, driver: Driver, alerts: int, kills: int) -> None:
    """All three witnesses agree: everything accepted was delivered, in order, and hardly anything twice."""
    story = arrived(fleet)
    accepted = {key for action, key in driver.accepted if action == "trigger"}
    assert set(story) == accepted
    ended = states(fleet)
    assert ended.pop("merged duplicate", 0) <= driver.refused  # sent again after a 503 that hid an acceptance
    assert ended == {"sent": 2 * alerts}
    begun_after_resolve = [key for key, actions in story.items() if "trigger" in actions[actions.index("resolve") :]]
    assert begun_after_resolve == []
    assert all(actions[-1] == "resolve" for actions in story.values())
    triggers = sum(actions.count("trigger") for actions in story.values())
    assert triggers - alerts <= kills * IN_FLIGHT
    assert not [i for i in fleet.sandbox.incidents() if i["status"] != "resolved"]


def test_no_alert_is_lost_while_workers_are_killed(tmp_path: Path) -> None:
    flow(tmp_path, alerts=150, kills=3, seed=1)


def test_no_alert_is_lost_while_the_server_restarts(tmp_path: Path) -> None:
    flow(tmp_path, alerts=150, kills=1, seed=SEED, strike=restart_server)


@pytest.mark.slow
def test_no_alert_is_lost_in_twenty_kills_of_two_thousand_alerts(tmp_path: Path) -> None:
    flow(tmp_path, alerts=2000, kills=20, seed=SEED)


@pytest.mark.slow
def test_no_alert_is_lost_in_five_restarts_of_the_server(tmp_path: Path) -> None:
    flow(tmp_path, alerts=2000, kills=5, seed=SEED, strike=restart_server)


@pytest.mark.slow
def test_no_alert_is_lost_in_minutes_of_everything(tmp_path: Path) -> None:
    end = time.monotonic() + 60 * MINUTES
    seed = SEED
    while time.monotonic() < end:
        folder = tmp_path / str(seed)
        folder.mkdir()
        flow(folder, alerts=300, kills=6, seed=seed, strike=anything)
        seed += 1
