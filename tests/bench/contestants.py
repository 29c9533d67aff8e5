"""Who is measured: each takes the same alerts to the same sandbox on the same machine, one after the other."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from celery import Celery

from deploy.local.ports import pick_port
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fleet import Fleet

SERVICES = 50
PLAIN_WORKERS = 2  # processes, as many as the machine has cores


def routing_key(index: int) -> str:
    """The routing key of service number `index`."""
    return f"sandboxbench{index % SERVICES:020d}"


def ingest_key(index: int) -> str:
    """The ingest key of service number `index`."""
    return f"ingestbench{index % SERVICES:021d}"


def write_config(folder: Path) -> Path:
    """A configuration with `SERVICES` services, one key each, as the rate limit asks."""
    shutil.copytree(
        ROOT / "config", folder / "config", ignore=shutil.ignore_patterns("*.py", "__pycache__", "services")
    )
    services = folder / "config" / "services"
    services.mkdir()
    for index in range(SERVICES):
        text = f"ingest_keys: [{ingest_key(index)}]\nchannels:\n  - name: pagerduty\n    routing_key: {routing_key(index)}\n"
        (services / f"svc{index}.yaml").write_text(text)
    (services / "default.yaml").write_text(
        "channels:\n  - name: pagerduty\n    routing_key: sandboxbenchdefault0000000000000\n"
    )
    return folder / "config"


def payload(index: int) -> dict[str, Any]:
    """What the alert says."""
    return {"summary": f"alert {index}", "source": "bench", "severity": "critical", "custom_details": {"n": index}}


def event(index: int, run: str) -> dict[str, Any]:
    """The Events v2 body of alert number `index`."""
    return {
        "routing_key": routing_key(index),
        "event_action": "trigger",
        "dedup_key": f"{run}-{index}",
        "payload": payload(index),
    }


def alert(index: int, run: str) -> dict[str, Any]:
    """The same for `alerts.submit`."""
    body = event(index, run)
    del body["routing_key"]
    return {**body, "service": f"svc{index % SERVICES}"}


@contextmanager
def plain_celery(fleet: Fleet) -> Iterator[Celery]:
    """One-task-per-alert Celery on the same server: a running worker and its producer."""
    fleet.environment["BENCH_URL"] = f"{fleet.sandbox.url}/v2/enqueue"
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "tests.bench.plain",
        "worker",
        "-c",
        str(PLAIN_WORKERS),
        "-l",
        "ERROR",
    ]
    with (fleet.folder / "plain.log").open("ab") as log:
        worker = subprocess.Popen(command, env=fleet.environment, cwd=ROOT, stdout=log, stderr=log)
    app = Celery("plain-producer", broker=fleet.server.url)
    app.conf.broker_transport_options = {"global_keyprefix": "plain:"}
    try:
        fleet.wait(lambda: app.control.ping(timeout=0.3), 60, "the plain worker does not answer")
        yield app
    finally:
        worker.terminate()
        worker.wait(timeout=30)
        app.close()


ALERTMANAGER = """
route: {receiver: pagerduty, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: pagerduty
    pagerduty_configs: [{routing_key: '%s', url: '%s/v2/enqueue', description: '{{ .CommonLabels.id }}'}]
"""


@contextmanager
def alertmanager(fleet: Fleet) -> Iterator[httpx.Client | None]:
    """A running Alertmanager that pages the sandbox; None where `prometheus-alertmanager` is not installed."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        yield None
        return
    config = fleet.folder / "alertmanager.yml"
    config.write_text(ALERTMANAGER % (routing_key(0), fleet.sandbox.url))
    port = pick_port()
    command = [
        program,
        f"--config.file={config}",
        f"--storage.path={fleet.folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]
    with (fleet.folder / "alertmanager.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            fleet.wait(lambda: _answers(client), 30, "Alertmanager does not answer")
            yield client
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def arrivals(fleet: Fleet, run: str) -> dict[str, float]:
    """Dedup key (or summary, where the sender makes its own keys) -> time of first arrival at the sandbox."""
    seen: dict[str, float] = {}
    for entry in fleet.sandbox.log():
        for name in (entry.get("dedup_key"), entry.get("summary")):
            if name and name.startswith(run):
                seen.setdefault(name, entry["at"])
    return seen


def pace(index: int, started: float, per_second: float) -> None:
    """Wait until alert number `index` is due."""
    wait = started + index / per_second - time.time()
    if wait > 0:
        time.sleep(wait)
