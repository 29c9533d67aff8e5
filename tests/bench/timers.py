"""Timers: a million pending, then two hundred due a second with four pumps; beside it Celery's `countdown`.

The bars: at most 400 MB in the server, 10,000 armed a second, no worker grows by 20 MB, each step taken once, lateness p99 200 ms, and from
due to the next channel's request 250 ms.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tasks.escalations.freezing import Freezer
from tasks.escalations.policy import Policy, Step, Target
from tasks.utils.scripts import Scripts
from tests.bench.figures import figure, quantile, say
from tests.conftest import ROOT
from tests.escalation_fleet import PRIMARY, STANDBY, EscalationFleet, uid
from tests.webhook_kit import SECRET, incident_event, packed

if TYPE_CHECKING:
    from collections.abc import Iterator

PENDING = 1_000_000
A_SECOND, SECONDS = 200, 60
PUMPS = 4
WARM = 400
WEBHOOKS_A_SECOND = 20
PAGE = 500
COUNTDOWNS = 10_000
LEAD = timedelta(seconds=12)
FREEZER = Freezer({"shop": Policy("bench", (Step("one", timedelta(0), (Target("channel", "standby"),)),))})
OPENED = """
for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local alert = KEYS[1] .. redis.sha1hex("pending" .. i):sub(1, 32)
  redis.call("HSET", alert, "status", "open", "service", "shop", "since", 1, "dedup_key", "p" .. i)
end
"""


def run(pending: int = PENDING) -> None:
    """Measure, and say what was found wrong."""
    wrong = [*_tocsin(pending)]
    _acknowledged()
    _celery()
    if wrong:
        raise AssertionError("; ".join(wrong))


def _tocsin(pending: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name, EscalationFleet(Path(name)) as fleet:
        workers = [f"delivery-{number}" for number in range(PUMPS)]
        for worker in workers:
            fleet.start("worker", "delivery", name=worker)
        fleet.wait_for_workers(PUMPS, 120)
        _arm(fleet, pending)
        _fall_due(fleet, "warm", WARM)  # a worker's first step takes it half a second, once
        before = {worker: _megabytes(fleet.processes[worker].pid) for worker in workers}
        dues = _fall_due(fleet, "due", A_SECOND * SECONDS)
        yield from _judge(fleet, dues)
        for worker in workers:
            figure(
                "timers.tocsin.worker_growth", _megabytes(fleet.processes[worker].pid) - before[worker], "MB", pending
            )


def _arm(fleet: EscalationFleet, pending: int) -> None:
    """So many open alerts, whose timers are due in a day."""
    scripts, spec = (
        Scripts(fleet.client, fleet.keys),
        FREEZER.spec("shop", "critical", datetime.now(UTC) + timedelta(days=1)),
    )
    for first in range(0, pending, 50_000):
        fleet.client.eval(OPENED, 1, fleet.keys.alert(""), first, min(first + 50_000, pending) - 1)
    used, started = _used(fleet), time.monotonic()
    uids = (_sha1(f"pending{number}") for number in range(pending))
    pages = iter(lambda: list(islice(uids, PAGE)), [])
    with ThreadPoolExecutor(2) as pool:  # while one waits for the server, the other makes ready what comes next
        for _ in pool.map(lambda page: scripts.run_many([("escalation_start", one, spec) for one in page]), pages):
            pass
    figure("timers.tocsin.armed", pending / (time.monotonic() - started), "/s", pending)
    figure("timers.tocsin.memory", (_used(fleet) - used) / 1e6, "MB", pending)
    ledger = fleet.client.memory_usage(fleet.keys.ledger, samples=0)
    figure("timers.tocsin.memory_of_ledger", ledger / 1e6, "MB", pending)


def _fall_due(fleet: EscalationFleet, name: str, many: int) -> dict[str, int]:
    """Let timers fall due, each in its own moment; dedup key -> when (ms)."""
    scripts, first = Scripts(fleet.client, fleet.keys), datetime.now(UTC) + LEAD
    dues: dict[str, int] = {}
    for start in range(0, many, PAGE):
        pipe, calls = fleet.client.pipeline(transaction=False), []
        for number in range(start, min(start + PAGE, many)):
            key = f"{name}-{number}"
            spec = FREEZER.spec("shop", "critical", first + timedelta(seconds=number / A_SECOND))
            dues[key] = int(spec.partition(" ")[0])
            known = {"status": "open", "service": "shop", "since": 1, "dedup_key": key}
            pipe.hset(fleet.keys.alert(uid(key)), mapping=known)
            calls.append(("escalation_start", uid(key), spec))
        pipe.execute()
        scripts.run_many(calls)
    say(f"{len(dues)} timers, the first due in {(first - datetime.now(UTC)).total_seconds():.1f} s")
    fleet.wait(lambda: _left(fleet, dues) == 0, 180, "steps are missing")
    fleet.wait(fleet.is_idle, 60, "not everything is sent")
    return dues


def _left(fleet: EscalationFleet, dues: dict[str, int]) -> int:
    """How many of them are not taken yet; asked once in a while, so that the asking does not count."""
    time.sleep(0.5)
    scores = fleet.client.zmscore(fleet.keys.escalations_due, [uid(key) for key in dues][-PAGE:])
    return sum(score is not None for score in scores)


def _judge(fleet: EscalationFleet, dues: dict[str, int]) -> Iterator[str]:
    by_uid = {uid(key): due for key, due in dues.items()}
    taken: Counter[str] = Counter()
    late = []
    for _, entry in fleet.client.xrevrange(fleet.keys.ledger, count=8 * len(dues)):
        if entry["s"] == "escalated" and entry["e"].split("-")[1] in by_uid:
            alert = entry["e"].split("-")[1]
            taken[alert] += 1
            late.append(int(entry["t"]) - by_uid[alert])
    for share, name in ((0.5, "p50"), (0.99, "p99"), (1.0, "max")):
        figure(f"timers.tocsin.lateness_{name}", quantile(late, share), "ms", len(late))
    sent = [
        entry["at"] * 1000 - dues[entry["dedup_key"]]
        for entry in fleet.sandbox.log()
        if entry["routing_key"] == STANDBY and entry["dedup_key"] in dues
    ]
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        figure(f"timers.tocsin.due_to_request_{name}", quantile(sent, share), "ms", len(sent))
    twice = sum(count > 1 for count in taken.values())
    figure("timers.tocsin.taken_twice", twice, "", len(taken))
    if twice or len(taken) != len(dues):
        yield f"{twice} steps were taken twice, {len(dues) - len(taken)} not at all"


def _acknowledged(many: int = 300) -> None:
    """How long after an acknowledgement's webhook was sent the timer is gone."""
    with (
        tempfile.TemporaryDirectory() as name,
        EscalationFleet(Path(name), first="1h", PAGERDUTY_WEBHOOK_SECRET=SECRET) as fleet,
    ):
        gateway = fleet.start_gateway()
        fleet.start_workers("alert", "delivery", "webhook")
        keys = [f"key-{number}" for number in range(1, many + 1)]
        for start in range(0, many, 100):
            fleet.tell("trigger", *keys[start : start + 100])
        fleet.wait(lambda: len(fleet.arrivals(PRIMARY)) == many and fleet.is_idle(), 60, "not all are sent")
        sent: dict[str, float] = {}
        with httpx.Client(base_url=gateway) as http:
            for number, key in enumerate(keys, 1):
                body, headers = packed(incident_event("acknowledged", number, key=key))
                sent[uid(key)] = time.time() * 1000
                http.post("/webhooks/pagerduty", content=body, headers=headers).raise_for_status()
                time.sleep(1 / WEBHOOKS_A_SECOND)
        fleet.wait(lambda: fleet.alive() == 0, 60, "timers are left")
        gone = {
            e["e"].split("-")[1]: int(e["t"]) for _, e in fleet.client.xrange(fleet.keys.ledger) if e["s"] == "stopped"
        }
    late = [gone[alert] - at for alert, at in sent.items()]
    for share, label in ((0.5, "p50"), (0.99, "p99")):
        figure(f"timers.tocsin.acknowledged_{label}", quantile(late, share), "ms", len(late))


def _celery() -> None:
    """Ten thousand messages with a countdown, as many due a second, one stock worker."""
    with tempfile.TemporaryDirectory() as name, EscalationFleet(Path(name)) as fleet:
        environment = {**os.environ, "REDIS_URL": fleet.server.url}
        command = [sys.executable, "-m", "celery", "-A", "tests.bench.plain_timers", "worker", "-c", "2", "-l", "ERROR"]
        worker = subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True)
        try:
            _count_down(fleet, worker.pid)
        finally:
            worker.terminate()
            worker.wait(timeout=30)


def _count_down(fleet: EscalationFleet, pid: int) -> None:
    from tests.bench.plain_timers import LATE, app

    app.conf.broker_url = fleet.server.url
    fleet.wait(lambda: app.control.ping(timeout=0.3), 60, "the worker does not answer")
    before, lead = _megabytes(pid), 20.0
    began = time.time()
    with app.connection_for_write() as connection, app.amqp.producer_pool.acquire(block=True) as producer:
        del connection
        for number in range(COUNTDOWNS):
            due = began + lead + number / A_SECOND
            app.send_task("plain.fire", args=(due,), countdown=due - time.time(), producer=producer)
    say(f"countdowns sent in {time.time() - began:.1f} s")
    fleet.wait(lambda: fleet.client.llen(LATE) >= COUNTDOWNS, 180, "countdowns are missing")
    late = [float(value) for value in fleet.client.lrange(LATE, 0, -1)]
    for share, name in ((0.5, "p50"), (0.99, "p99"), (1.0, "max")):
        figure(f"timers.celery.lateness_{name}", quantile(late, share), "ms", len(late))
    figure("timers.celery.worker_growth", _megabytes(pid) - before, "MB", COUNTDOWNS)


def _sha1(text: str) -> str:
    """As the server names what is pending."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:32]


def _used(fleet: EscalationFleet) -> int:
    return int(fleet.client.info("memory")["used_memory"])


def _megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
