"""Answers: incidents go through trigger, acknowledge and resolve over many routing keys, PagerDuty's limits on, and webhooks tell of it.

Alerts are submitted as fast as the keys take them; somebody in PagerDuty acknowledges and resolves what there is, a hundred at a time.
The bar: 10,000 in 15 minutes on two cores, no alert lost or left open, nothing sent back to PagerDuty, memory flat.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tasks.audit.service import AuditRules, AuditService
from tasks.utils.identifiers import alert_uid
from tests.bench.cpu import cpu_seconds
from tests.bench.figures import figure, quantile
from tests.conftest import ROOT
from tests.fleet import Fleet
from tests.webhook_kit import SECRET, incident_event, packed

INCIDENTS = 10_000
KEYS = 60
DOOR = 5_000  # webhooks
AT_ONCE = 50
A_SECOND = 96  # alerts; each key takes not quite two
MOST_WAITING = 1_000
PAGE = 100
OURS, THEIRS = "a" * 20, "b" * 20
PROCESSES = ("gateway", "alert", "delivery", "webhook")


def run(incidents: int = INCIDENTS) -> None:
    """Measure, and say what was found wrong."""
    with tempfile.TemporaryDirectory() as name:
        found = measured(Path(name), incidents)
    figure("answers.tocsin.seconds", found.seconds, "s", incidents)
    figure("answers.tocsin.rate", incidents / found.seconds, "/s", incidents)
    figure("answers.tocsin.webhook_p50", quantile(found.answered, 0.5) * 1000, "ms", len(found.answered))
    figure("answers.tocsin.webhook_p99", quantile(found.answered, 0.99) * 1000, "ms", len(found.answered))
    for process, growth in found.growth.items():
        figure(f"answers.tocsin.growth_{process}", growth, "MB", incidents)
    for process, seconds in found.cpu.items():
        figure(f"answers.tocsin.cpu_{process}", seconds * 1e6 / incidents, "us", incidents)
    figure("answers.tocsin.redis_per_alert", found.redis_bytes / incidents, "B", incidents)
    _door()
    if found.wrong:
        raise AssertionError("; ".join(found.wrong))


def _door() -> None:
    """How long a webhook waits for its answer, fifty of them at once, while a worker works them off."""
    requests = [packed(incident_event("triggered", number, key=f"key-{number}")) for number in range(1, DOOR + 1)]
    lines = [json.dumps(headers).encode() + b"\t" + body for body, headers in requests]
    with tempfile.TemporaryDirectory() as name, Fleet(Path(name), PAGERDUTY_WEBHOOK_SECRET=SECRET) as fleet:
        gateway = fleet.start_gateway()
        fleet.start_workers("webhook", "delivery")
        command = [sys.executable, "-m", "tests.bench.load", f"{gateway}/webhooks/pagerduty", str(AT_ONCE), "0"]
        before = cpu_seconds(fleet.processes["gateway"].pid)
        done = subprocess.run(command, input=b"\n".join(lines), capture_output=True, check=True, cwd=ROOT)
        spent = cpu_seconds(fleet.processes["gateway"].pid) - before
    told = json.loads(done.stdout)
    if set(told["statuses"]) != {"202"}:
        raise AssertionError(f"answers were {told['statuses']}")
    for share in (0.5, 0.99):
        figure(f"answers.tocsin.door_p{share * 100:.0f}", quantile(told["samples"], share), "ms", len(told["samples"]))
    figure("answers.tocsin.door_cpu", spent * 1e6 / DOOR, "us", DOOR)
    figure("answers.tocsin.door_rate", DOOR / told["seconds"], "/s", DOOR)


@dataclass
class Found:
    """Seconds until all was resolved here; those each webhook waited for its answer; MB that processes grew by after a fifth of the way."""

    seconds: float = 0.0
    answered: list[float] = field(default_factory=list)
    growth: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    redis_bytes: float = 0.0
    wrong: list[str] = field(default_factory=list)


def measured(folder: Path, incidents: int, *, keys: int = KEYS, a_second: float = A_SECOND) -> Found:
    """Let so many incidents run through a fleet of real processes."""
    environment = {
        "PAGERDUTY_API_KEY": OURS,
        "PAGERDUTY_WEBHOOK_SECRET_FILE": str(folder / "webhook.secret"),
        "TOCSIN_CONFIG_DIR": str(_write_config(folder, keys)),
    }
    (folder / "webhook.secret").write_text("none yet")
    with Fleet(folder, **environment) as fleet:
        gateway = fleet.start_gateway()
        (folder / "webhook.secret").write_text(_subscribe(fleet, gateway))
        fleet.start_workers("alert", "delivery", "webhook")
        return _Race(fleet, incidents, keys, a_second).run()


class _Race:
    """One run."""

    def __init__(self, fleet: Fleet, incidents: int, keys: int, a_second: float) -> None:
        self._fleet = fleet
        self._alerts = [(f"answers-{number % keys:02d}", f"alert-{number}") for number in range(incidents)]
        self._a_second = a_second
        self._early: dict[str, float] = {}

    def run(self) -> Found:
        found = Found()
        redis_before, cpu_before = self._redis_bytes(), self._cpu()
        people = _People(self._fleet.sandbox.url)
        started = time.monotonic()
        with people:
            self._submit(started)
            self._fleet.wait(lambda: self._open() == 0, 900, "alerts are open for ever")
        found.seconds = time.monotonic() - started
        found.cpu = {name: spent - cpu_before[name] for name, spent in self._cpu().items()}
        found.redis_bytes = self._redis_bytes() - redis_before
        found.growth = {name: size - self._early[name] for name, size in self._memory().items()}
        self._judge(found)
        return found

    def _submit(self, started: float) -> None:
        batch = 16
        for first in range(0, len(self._alerts), batch):
            time.sleep(max(0.0, started + first / self._a_second - time.monotonic()))
            self._fleet.wait(self._has_room, 60, "alerts are not sent")
            self._fleet.submit(*(_alert(*one) for one in self._alerts[first : first + batch]))
            if not self._early and first >= len(self._alerts) / 5:
                self._early = self._memory()

    def _has_room(self) -> bool:
        """Whether the fleet keeps up: what waits for its key longer than a minute would be told in summaries."""
        fleet = self._fleet
        return int(fleet.client.zcard(fleet.keys.queued)) + int(fleet.client.hlen(fleet.keys.inbox)) < MOST_WAITING

    def _open(self) -> int:
        """How many alerts are not resolved yet."""
        pipe = self._fleet.client.pipeline(transaction=False)
        for service, key in self._alerts:
            pipe.hget(self._fleet.keys.alert(alert_uid(service, key)), "status")
        left = sum(status != "resolved" for status in pipe.execute())
        time.sleep(max(0.2, left / 2000))
        return left

    def _judge(self, found: Found) -> None:
        fleet = self._fleet
        fleet.wait(
            lambda: fleet.is_idle() and not fleet.client.hlen(fleet.keys.webhooks), 60, "something waits for ever"
        )
        proof = AuditService(fleet.client, fleet.keys, AuditRules(fleet.folder / "audit")).prove()
        sent = [entry for entry in fleet.sandbox.log() if entry.get("dedup_key")]
        echoes = [entry for entry in sent if entry["event_action"] != "trigger"]
        deliveries = _deliveries(fleet)
        found.answered = [attempt["ended_at"] - attempt["at"] for one in deliveries for attempt in one["attempts"]]
        wrong = {
            f"the proof does not hold: {proof.broken[:3]}": not proof.holds,
            f"{len(sent)} events were sent for {len(self._alerts)} alerts": len(sent) != len(self._alerts),
            f"{len(echoes)} answers were sent back": bool(echoes),
            f"{proof.dead} died": bool(proof.dead),
            "webhooks were not taken": any(one["state"] != "delivered" for one in deliveries),
        }
        found.wrong = [text for text, is_so in wrong.items() if is_so]

    def _memory(self) -> dict[str, float]:
        return {name: _resident(self._fleet.processes[name].pid) for name in PROCESSES}

    def _cpu(self) -> dict[str, float]:
        pids = {name: self._fleet.processes[name].pid for name in (*PROCESSES, "sandbox")}
        return {name: cpu_seconds(pid) for name, pid in {**pids, "redis": self._fleet.server.pid}.items()}

    def _redis_bytes(self) -> int:
        return int(self._fleet.client.info("memory")["used_memory"])


class _People:
    """Those on call in PagerDuty: acknowledge what is triggered, resolve what is acknowledged, a hundred incidents a call."""

    def __init__(self, url: str) -> None:
        headers = {"Authorization": f"Token token={THEIRS}", "From": "ann@example.org"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=30)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._http.close()

    def _work(self) -> None:
        while not self._stopping.wait(0.25):
            self._answer("acknowledged", "resolved")
            self._answer("triggered", "acknowledged")

    def _answer(self, now: str, then: str) -> None:
        asked = {"statuses[]": now, "limit": PAGE, "date_range": "all"}
        found = self._http.get("/incidents", params=asked).raise_for_status().json()["incidents"]
        if found:
            changes = [{"id": one["id"], "type": "incident_reference", "status": then} for one in found]
            self._http.put("/incidents", json={"incidents": changes}).raise_for_status()


def _alert(service: str, key: str) -> dict[str, Any]:
    payload = {"summary": f"{key} is in trouble", "source": "bench", "severity": "critical"}
    return {"service": service, "event_action": "trigger", "dedup_key": key, "payload": payload}


def _write_config(folder: Path, keys: int) -> Path:
    config = folder / "config"
    (config / "services").mkdir(parents=True)
    (config / "pagerduty.yaml").write_text("default_service: answers-00\n")
    for number in range(keys):
        key = f"{number:02d}".ljust(32, "e")
        (config / "services" / f"answers-{number:02d}.yaml").write_text(
            f'channels: [{{name: page, routing_key: "{key}"}}]\n'
        )
    return config


def _subscribe(fleet: Fleet, gateway: str) -> str:
    """Have the sandbox tell the gateway; the secret it signs with."""
    asked = {
        "type": "webhook_subscription",
        "delivery_method": {"type": "http_delivery_method", "url": f"{gateway}/webhooks/pagerduty"},
        "events": ["incident.triggered", "incident.acknowledged", "incident.resolved"],
        "filter": {"type": "account_reference"},
    }
    headers = {"Authorization": f"Token token={THEIRS}"}
    made = fleet.sandbox.http.post("/webhook_subscriptions", json={"webhook_subscription": asked}, headers=headers)
    return str(made.raise_for_status().json()["webhook_subscription"]["delivery_method"]["secret"])


def _deliveries(fleet: Fleet) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    since, more = 0, True
    while more:
        page = fleet.sandbox.control("GET", f"/webhooks?since={since}")
        found += page["deliveries"]
        since, more = page["next"], page["more"]
    return found


def _resident(pid: int) -> float:
    """MB of memory a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
