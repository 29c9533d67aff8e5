"""Gateway and workers are killed while webhooks come: what was answered with a 2xx is worked off, whatever dies."""

from __future__ import annotations

import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.fleet import Fleet
from tests.webhook_kit import SECRET, incident_event, packed

if TYPE_CHECKING:
    from pathlib import Path

SEED = int(os.environ.get("SEED", "1"))
SENDERS = 8


class Sender:
    """Posts webhooks as PagerDuty does, a refused or cut one again; knows which were answered with a 2xx."""

    def __init__(self, http: httpx.Client) -> None:
        self.accepted: set[str] = set()
        self._http = http

    def send(self, number: int) -> None:
        document = incident_event("triggered", number, key=f"key-{number}")
        body, headers = packed(document)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                status = self._http.post("/webhooks/pagerduty", content=body, headers=headers).status_code
            except httpx.TransportError:
                status = 0
            if status == 202:
                self.accepted.add(f"PINC{number}")
                return
            time.sleep(0.05)
        raise AssertionError(f"webhook {number} was never taken")


def flow(folder: Path, *, webhooks: int, kills: int, seed: int) -> None:
    """Send webhooks, killing now the gateway, now the worker; then ask which are known."""
    chance = random.Random(seed)
    with Fleet(folder, PAGERDUTY_WEBHOOK_SECRET=SECRET) as fleet:
        gateway = fleet.start_gateway()
        port = gateway.rpartition(":")[2]
        fleet.start_workers("webhook", "delivery")
        with httpx.Client(base_url=gateway, timeout=5) as http, ThreadPoolExecutor(SENDERS) as pool:
            sender = Sender(http)
            sending = [pool.submit(sender.send, number) for number in range(1, webhooks + 1)]
            for kill in range(kills):
                wanted = (kill + 1) * webhooks // (kills + 1) * chance.uniform(0.9, 1.0)
                fleet.wait(lambda wanted=wanted: len(sender.accepted) >= wanted, 60, "webhooks are not taken")
                victim = "gateway" if kill % 2 == 0 else "webhook"
                fleet.kill(victim)
                words = ("gateway", "--port", port) if victim == "gateway" else ("worker", "webhook")
                fleet.start(*words, name=victim)
            for one in sending:
                one.result(timeout=120)
        fleet.wait(lambda: not fleet.client.hlen(fleet.keys.webhooks), 90, "webhooks wait for ever")

        assert len(sender.accepted) == webhooks
        known = set(fleet.client.zrange(fleet.keys.parked_incidents, 0, -1))
        assert sender.accepted - known == set(), json.dumps(sorted(sender.accepted - known)[:5])
        assert fleet.client.zcard(fleet.keys.dead) == 0


def test_no_webhook_is_lost_by_kills_of_gateway_and_worker(tmp_path: Path) -> None:
    flow(tmp_path, webhooks=600, kills=4, seed=SEED)


@pytest.mark.slow
def test_no_webhook_is_lost_by_many_kills(tmp_path: Path) -> None:
    flow(tmp_path, webhooks=9000, kills=24, seed=SEED)
