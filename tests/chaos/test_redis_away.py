"""Redis is gone for seconds under load: senders hear 202 all the while, and three witnesses account for every one of them."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tasks.runtime import Runtime
from tests.chaos.kit.stage import QUICK
from tests.fleet import Fleet
from tests.program import run
from tests.witnesses import ANY, hear

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SINK = ("--no-limits", "--sink")
GROUPS = ("alert", "delivery")
SENDERS = 4
TURNS = ("1", "2", "3", "resolve")  # what is said of each key, about a second apart


@dataclass
class Sender(threading.Thread):
    """Sends at a steady pace, each event until it is accepted: the first witness."""

    name_: str
    url: str
    ingest_key: str
    per_second: float
    ended: threading.Event
    accepted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    refused: int = 0
    broken_off: int = 0
    slowest: float = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        started = time.monotonic()
        with httpx.Client(timeout=10) as client:
            for number, (key, turn) in enumerate(self._events()):
                if self.ended.wait(max(0, started + number / self.per_second - time.monotonic())):
                    return
                self._send(client, key, turn)

    def _events(self) -> Iterator[tuple[str, str]]:
        for group in count():
            keys = [f"{self.name_}-{group}-{n}" for n in range(int(self.per_second))]
            yield from ((key, turn) for turn in TURNS for key in keys)

    def _send(self, client: httpx.Client, key: str, turn: str) -> None:
        while not self._is_accepted(client, key, turn):
            time.sleep(0.05)
        self.accepted[key].append(turn)

    def _is_accepted(self, client: httpx.Client, key: str, turn: str) -> bool:
        action = "resolve" if turn == "resolve" else "trigger"
        body: dict[str, Any] = {"routing_key": self.ingest_key, "event_action": action, "dedup_key": key}
        if action == "trigger":
            body["payload"] = {"summary": turn, "source": "chaos", "severity": "critical"}
        began = time.monotonic()
        try:
            status = client.post(f"{self.url}/v2/enqueue", json=body).status_code
        except httpx.TransportError:
            self.broken_off += 1
            return False
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.refused += status == 503
        assert status in (202, 503)
        return status == 202


def survive(folder: Path, *, per_second: float, outage: float, kill_gateway: bool = False) -> None:
    """Let the server be away for `outage` seconds under load, then ask the witnesses."""
    with Fleet(folder, sandbox_options=SINK, **QUICK) as fleet:
        fleet.start_workers(*GROUPS)
        url = fleet.start_gateway()
        ingest = fleet.settings.services["checkout"].ingest_keys[0].get_secret_value()
        ended = threading.Event()
        senders = [Sender(f"s{n}", url, ingest, per_second / SENDERS, ended) for n in range(SENDERS)]
        for sender in senders:
            sender.start()
        time.sleep(1.5)  # calm before
        fleet.server.kill()
        time.sleep(outage / 2)
        if kill_gateway:
            fleet.kill("gateway")
            fleet.start("gateway", "--port", url.rpartition(":")[2], name="gateway")
            fleet.wait(lambda: answers(url), 30, "the gateway does not come back")
        time.sleep(outage / 2)
        fleet.server.restart()
        time.sleep(1.5)  # new events meet those of the spool
        ended.set()
        for sender in senders:
            sender.join(timeout=30)
        await_end(fleet, url)
        judge(fleet, senders, outage, spare=per_second if kill_gateway else 0)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez").status_code == 200
    except httpx.TransportError:
        return False


def await_end(fleet: Fleet, url: str) -> None:
    def is_over() -> bool:
        return httpx.get(f"{url}/readyz", timeout=10).json()["spool"]["rows"] == 0 and fleet.is_idle()

    fleet.wait(lambda: fleet.revive(*GROUPS) and is_over(), 120, "events wait for ever")


def judge(fleet: Fleet, senders: list[Sender], outage: float, spare: float) -> None:
    """Nothing accepted is lost, nothing overtook anything, and senders hardly noticed."""
    accepted = {key: turns for sender in senders for key, turns in sender.accepted.items()}
    total = sum(map(len, accepted.values()))
    verdicts = list(Runtime(fleet.settings).audit.verdicts())
    log = fleet.sandbox.log()
    told = hear(accepted, log, verdicts, merged=ANY, suppressed=ANY)
    slowest = max(sender.slowest for sender in senders)
    figures = {"accepted": total, "slowest_answer_s": slowest, "arrived": len(log), "repeated": len(told.duplicates)}
    print(json.dumps(figures))
    assert len(told.duplicates) <= 2 * fleet.in_flight  # what was being sent when its outcome could not be written
    told.duplicates.clear()
    assert told.nothing_wrong, told
    assert sum(sender.refused for sender in senders) == 0
    assert total <= len(verdicts) <= total + sum(sender.broken_off for sender in senders) + spare
    assert_in_order(log, accepted)
    assert longest_wait(fleet, [verdict.event_id for verdict in verdicts]) > 0.8 * outage
    assert_proved(fleet)


def assert_proved(fleet: Fleet) -> None:
    """The third witness by its own word: `tocsin prove` ends with 0."""
    proof = run("prove", environment=fleet.environment)
    assert proof.returncode == 0, proof.stdout


def assert_in_order(log: list[dict[str, Any]], accepted: dict[str, list[str]]) -> None:
    """What PagerDuty heard of a key never goes back, and ends with what was said last."""
    heard: dict[str, list[str]] = defaultdict(list)
    for entry in log:
        heard[entry["dedup_key"]].append("resolve" if entry["event_action"] == "resolve" else entry["summary"])
    for key, turns in heard.items():
        places = [TURNS.index(turn) for turn in turns]
        assert places == sorted(places), (key, turns)
        assert turns[-1] == accepted[key][-1], (key, turns)
    unheard = [turns for key, turns in accepted.items() if key not in heard]
    assert all(turns[-1] == "resolve" for turns in unheard), (
        "only what was over before it could be sent may stay unsent"
    )


def longest_wait(fleet: Fleet, event_ids: list[str]) -> float:
    """The longest time (s) between an event's receipt and its arrival in Redis, as the ledger has it where it waited."""
    asked = set(event_ids)
    entries = (entry for _, entry in fleet.client.xrange(fleet.keys.ledger) if entry["s"] == "received")
    return max(int(entry["t"]) - int(entry["d"]) for entry in entries if entry["e"] in asked and entry.get("d")) / 1000


def test_redis_may_be_away_for_seconds_and_every_202_holds(tmp_path: Path) -> None:
    survive(tmp_path, per_second=100, outage=3)


def test_the_gateway_may_be_killed_meanwhile_and_every_202_holds(tmp_path: Path) -> None:
    survive(tmp_path, per_second=100, outage=4, kill_gateway=True)


@pytest.mark.slow
@pytest.mark.parametrize("kill_gateway", [False, True])
def test_every_202_of_twenty_seconds_without_redis_holds(tmp_path: Path, *, kill_gateway: bool) -> None:
    survive(tmp_path, per_second=200, outage=20, kill_gateway=kill_gateway)
