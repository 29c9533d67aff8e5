"""Ingest: single events over 32 connections, each answered once it is written; workers stopped, the client on the other core.

Last, the same with Redis away: how fast the spool takes events, and how fast it is drained.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.bench.contestants import event, ingest_key, write_config
from tests.bench.figures import figure, quantile, rate, say
from tests.conftest import ROOT
from tests.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUESTS = 10_000
WARM_UP = 1000
ROUNDS = 3
CONNECTIONS = 32
SERVER_CORE, CLIENT_CORE = 0, 1


class Found(NamedTuple):
    """What one round showed: requests a second, milliseconds of each."""

    rate: float
    samples: list[float]


def run(requests: int = REQUESTS, rounds: int = ROUNDS) -> None:
    """Measure both in turn and compare the medians."""
    found: dict[str, list[Found]] = {"tocsin": [], "fastapi": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Fleet(folder, TOCSIN_CONFIG_DIR=str(write_config(folder))) as fleet, _nothing() as nothing:
            gateway = fleet.start_gateway()
            _pin(fleet.processes["gateway"].pid, SERVER_CORE)
            for url in (gateway, nothing):
                _load(url, WARM_UP)
            for number in range(rounds):
                say(f"ingest: round {number + 1} of {rounds}, load average {os.getloadavg()[0]:.2f}")
                fleet.client.flushall()
                found["tocsin"].append(_load(gateway, requests))
                written = fleet.client.hlen(fleet.keys.inbox)
                if written != requests:
                    raise AssertionError(f"{requests} events were accepted, {written} are in Redis")
                found["fastapi"].append(_load(nothing, requests))
            _away(fleet, gateway, requests)
    _tell(found, requests)


def _away(fleet: Fleet, gateway: str, requests: int) -> None:
    say("ingest: Redis away")
    fleet.client.flushall()
    fleet.server.kill()
    kept = _load(gateway, requests)
    rate("ingest.tocsin.spooled_rate", [kept.rate], requests)
    figure("ingest.tocsin.spooled_p99", quantile(kept.samples, 0.99), "ms", requests)
    fleet.server.restart()
    written = lambda: fleet.client.hlen(fleet.keys.inbox)  # noqa: E731 - one line
    fleet.wait(written, 10, "nothing is drained")
    before, started = written(), time.monotonic()
    fleet.wait(lambda: written() == requests, 60, "the spool is not drained")
    rate("ingest.tocsin.drain_rate", [(requests - before) / (time.monotonic() - started)], requests - before)


def _tell(found: dict[str, list[Found]], requests: int) -> None:
    medians = {}
    for system, all_rounds in found.items():
        medians[system] = rate(f"ingest.{system}.rate", [one.rate for one in all_rounds], requests)
        samples = [sample for one in all_rounds for sample in one.samples]
        for label, share in (("p50", 0.5), ("p99", 0.99)):
            figure(f"ingest.{system}.{label}", quantile(samples, share), "ms", len(samples))
    figure("ingest.tocsin.rate_to_fastapi", medians["tocsin"] / medians["fastapi"], "ratio", requests)


def _load(url: str, requests: int) -> Found:
    command = [sys.executable, "-m", "tests.bench.load", f"{url}/v2/enqueue", str(CONNECTIONS), str(CLIENT_CORE)]
    done = subprocess.run(command, input=_bodies(requests), stdout=subprocess.PIPE, cwd=ROOT, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    if told["statuses"] != {"202": requests}:
        raise AssertionError(f"not every event was accepted: {told['statuses']}")
    return Found(requests / told["seconds"], told["samples"])


def _bodies(requests: int) -> bytes:
    run = f"ingest-{time.time_ns()}"
    events = ({**event(index, run), "routing_key": ingest_key(index)} for index in range(requests))
    return b"\n".join(json.dumps(one).encode() for one in events)


@contextmanager
def _nothing() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.bench.nothing"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            url = json.loads(process.stdout.readline())["url"]
            _pin(process.pid, SERVER_CORE)
            yield url
        finally:
            process.terminate()


def _pin(pid: int, core: int) -> None:
    """Keep a process, all its threads, on one core, where the system can."""
    tasks = Path(f"/proc/{pid}/task")
    if tasks.is_dir():
        for task in tasks.iterdir():
            os.sched_setaffinity(int(task.name), {core})
