"""Storm: thousands of distinct alerts at once, limits off, sandbox as a sink. How fast are they through?"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.bench.contestants import alert, alertmanager, arrivals, event, plain_celery, write_config
from tests.bench.figures import figure, rate, say
from tests.fleet import Fleet

if TYPE_CHECKING:
    from celery import Celery

ALERTS = 5000
A_MESSAGE = 100
ROUNDS = 3


def run(alerts: int = ALERTS, rounds: int = ROUNDS) -> None:
    """Measure everybody, round after round, and compare the medians."""
    rates: dict[str, list[float]] = {"tocsin": [], "celery": [], "httpx": [], "alertmanager": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = ("--no-limits", "--sink")
        with Fleet(folder, sandbox_options=options, TOCSIN_CONFIG_DIR=str(write_config(folder))) as fleet:
            for number in range(rounds):
                say(f"storm: round {number + 1} of {rounds}")
                rates["tocsin"].append(_tocsin(fleet, alerts))
                rates["celery"].append(_celery(fleet, alerts))
                rates["httpx"].append(_httpx(fleet, alerts))
                rates["alertmanager"] += _alertmanager(fleet, alerts)
    medians = {system: rate(f"storm.{system}.rate", found, alerts) for system, found in rates.items() if found}
    for system in ("celery", "alertmanager"):
        if system in medians:
            figure(f"storm.tocsin.rate_to_{system}", medians["tocsin"] / medians[system], "ratio", alerts)


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
    fleet.sandbox.clear_log()
    fleet.start_workers("alert", "delivery")
    run = f"tocsin-{time.time_ns()}"
    _hold(fleet.producer, ("alert",), fleet)
    for first in range(0, alerts, A_MESSAGE):
        fleet.submit(*(alert(index, run) for index in range(first, min(alerts, first + A_MESSAGE))))
    started = time.time()
    fleet.producer.control.add_consumer("alert")
    found = _through(fleet, run, alerts, started)
    for group in ("alert", "delivery"):
        fleet.stop(group)
    return found


def _celery(fleet: Fleet, alerts: int) -> float:
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


def _alertmanager(fleet: Fleet, alerts: int) -> list[float]:
    fleet.sandbox.clear_log()
    run = f"am-{time.time_ns()}"
    with alertmanager(fleet) as client:
        if client is None:
            return []
        started = time.time()
        for first in range(0, alerts, A_MESSAGE):
            batch = range(first, min(alerts, first + A_MESSAGE))
            client.post("/api/v2/alerts", json=[{"labels": {"alertname": "b", "id": f"{run}-{i}"}} for i in batch])
        fleet.wait(lambda: fleet.sandbox.count() >= alerts, 180, "not everything arrived")
        entries = fleet.sandbox.log()
    return [alerts / (max(entry["at"] for entry in entries) - started)]
