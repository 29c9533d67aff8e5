"""Storm: 10,000 distinct alerts, posted 100 at a time, limits off, sandbox as a sink. How fast are they through?"""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.bench.contestants import alert, alertmanager, arrivals, event, plain_celery, write_config
from tests.bench.cpu import cpu_seconds
from tests.bench.figures import figure, rate, say
from tests.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celery import Celery

ALERTS = 10_000
A_MESSAGE = 100
WARM_UP = 500


def run(alerts: int = ALERTS) -> None:
    """Measure everybody, one after the other, and compare."""
    rates: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = ("--no-limits", "--sink")
        with Fleet(folder, sandbox_options=options, TOCSIN_CONFIG_DIR=str(write_config(folder))) as fleet:
            for system, measure in CONTESTANTS.items():
                say(f"storm: {system}")
                found = measure(fleet, alerts)
                if found is not None:
                    rates[system] = rate(f"storm.{system}.rate", [found], alerts)
    for system in ("celery", "alertmanager"):
        if system in rates:
            figure(f"storm.tocsin.rate_to_{system}", rates["tocsin"] / rates[system], "ratio", alerts)


def _through(fleet: Fleet, run: str, alerts: int, started: float) -> float:
    """Alerts a second from `started` until the last one arrived."""
    fleet.wait(lambda: fleet.sandbox.count() >= alerts, 180, "not everything arrived")
    seen = arrivals(fleet, run)
    if len(seen) != alerts:
        raise AssertionError(f"{alerts - len(seen)} alerts never arrived")
    return alerts / (max(seen.values()) - started)


def _hold(app: Celery, queues: tuple[str, ...], fleet: Fleet) -> None:
    for queue in queues:
        fleet.wait(lambda queue=queue: app.control.cancel_consumer(queue, reply=True), 10, "workers do not answer")


def _tocsin(fleet: Fleet, alerts: int) -> float:
    """From the first message sent, sending included."""
    fleet.start_workers("alert", "delivery")
    _submit(fleet, f"warm-{time.time_ns()}", WARM_UP)
    fleet.wait(lambda: fleet.sandbox.count() >= WARM_UP and fleet.is_idle(), 60, "the first alerts did not arrive")
    fleet.sandbox.clear_log()
    run = f"tocsin-{time.time_ns()}"
    with _cpu(fleet, alerts):
        started = time.time()
        _submit(fleet, run, alerts)
        found = _through(fleet, run, alerts, started)
        fleet.wait(fleet.is_idle, 60, "outcomes are not recorded")
    for group in ("alert", "delivery"):
        fleet.stop(group)
    return found


def _submit(fleet: Fleet, run: str, alerts: int) -> None:
    for first in range(0, alerts, A_MESSAGE):
        fleet.submit(*(alert(index, run) for index in range(first, min(alerts, first + A_MESSAGE))))


@contextmanager
def _cpu(fleet: Fleet, alerts: int) -> Iterator[None]:
    """Print what one alert costs each process, in microseconds of CPU."""
    pids = {name: fleet.processes[name].pid for name in ("alert", "delivery", "sandbox")} | {"redis": fleet.server.pid}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    yield
    for name, pid in pids.items():
        figure(f"storm.tocsin.cpu_{name}", (cpu_seconds(pid) - before[name]) * 1e6 / alerts, "us", alerts)


def _celery(fleet: Fleet, alerts: int) -> float:
    """From the moment the worker may begin, all messages being there: its producer's time is not counted."""
    fleet.sandbox.clear_log()
    run = f"celery-{time.time_ns()}"
    with plain_celery(fleet) as app:
        _hold(app, ("celery",), fleet)
        for index in range(alerts):
            app.send_task("plain.page", [event(index, run)])
        started = time.time()
        app.control.add_consumer("celery")
        return _through(fleet, run, alerts, started)


def _httpx(fleet: Fleet, alerts: int) -> float:
    fleet.sandbox.clear_log()
    run = f"httpx-{time.time_ns()}"
    with httpx.Client(timeout=10) as client:
        started = time.time()
        for index in range(alerts):
            client.post(f"{fleet.sandbox.url}/v2/enqueue", json=event(index, run))
    return _through(fleet, run, alerts, started)


def _alertmanager(fleet: Fleet, alerts: int) -> float | None:
    """From the first post, posting included."""
    fleet.sandbox.clear_log()
    run = f"am-{time.time_ns()}"
    with alertmanager(fleet) as client:
        if client is None:
            say("storm: alertmanager is not installed")
            return None
        started = time.time()
        for first in range(0, alerts, A_MESSAGE):
            batch = range(first, min(alerts, first + A_MESSAGE))
            client.post("/api/v2/alerts", json=[{"labels": {"alertname": "b", "id": f"{run}-{i}"}} for i in batch])
        fleet.wait(lambda: fleet.sandbox.count() >= alerts, 180, "not everything arrived")
        entries = fleet.sandbox.log()
    return alerts / (max(entry["at"] for entry in entries) - started)


CONTESTANTS: dict[str, Any] = {
    "tocsin": _tocsin,
    "celery": _celery,
    "httpx": _httpx,
    "alertmanager": _alertmanager,
}
