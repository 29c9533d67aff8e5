"""Latency: 50 alerts a second over 50 keys, from the producer's call to the request's arrival at PagerDuty, limits on."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.bench.contestants import (
    alert,
    alertmanager,
    arrivals,
    event,
    ingest_key,
    pace,
    plain_celery,
    routing_key,
    write_config,
)
from tests.bench.figures import figure, quantile, say
from tests.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable

PER_SECOND = 50.0
ALERTS = 1000
WARM_UP = 50


def run(alerts: int = ALERTS) -> None:
    """Measure everybody in one run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Fleet(folder, TOCSIN_CONFIG_DIR=str(write_config(folder))) as fleet:
            samples = _tocsin(fleet, alerts)
            with plain_celery(fleet) as app:
                send = lambda i, run: app.send_task("plain.page", [event(i, run)])  # noqa: E731 - one line each
                samples["celery"] = _measure(fleet, "celery", send, alerts)
            with httpx.Client(timeout=10) as client:
                send = lambda i, run: client.post(f"{fleet.sandbox.url}/v2/enqueue", json=event(i, run))  # noqa: E731
                samples["httpx"] = _measure(fleet, "httpx", send, alerts)
            _alertmanager(fleet, min(alerts, 100))
    tocsin, celery = quantile(samples["tocsin"], 0.99), quantile(samples["celery"], 0.99)
    figure("latency.tocsin.p99_to_celery", tocsin / celery, "ratio", alerts)


def _tocsin(fleet: Fleet, alerts: int) -> dict[str, list[float]]:
    fleet.start_workers("alert", "delivery")
    samples = {"tocsin": _measure(fleet, "tocsin", lambda i, run: fleet.submit(alert(i, run)), alerts)}
    url = fleet.start_gateway()
    with httpx.Client(timeout=10) as client:
        send = lambda i, run: client.post(  # noqa: E731
            f"{url}/v2/enqueue", json={**event(i, run), "routing_key": ingest_key(i)}
        ).raise_for_status()
        samples["tocsin_http"] = _measure(fleet, "tocsin.http", send, alerts)
    for name in ("gateway", "alert", "delivery"):
        fleet.stop(name)
    return samples


def _measure(fleet: Fleet, name: str, send: Callable[[int, str], Any], alerts: int) -> list[float]:
    """Latencies in ms of `alerts` sends at the agreed pace; what never arrived fails the bench."""
    say(f"latency: {name}")
    fleet.sandbox.reset_but_keys(routing_key(i) for i in range(50))
    run = f"{name}-{time.time_ns()}"
    sent: dict[str, float] = {}
    started = time.time()
    for index in range(WARM_UP + alerts):
        pace(index, started, PER_SECOND)
        sent[f"{run}-{index}"] = time.time()
        send(index, run)
    fleet.wait(lambda: len(arrivals(fleet, run)) == len(sent), 30, f"{name} lost alerts")
    seen = arrivals(fleet, run)
    counted = [f"{run}-{index}" for index in range(WARM_UP, WARM_UP + alerts)]
    samples = [(seen[key] - sent[key]) * 1000 for key in counted]
    parts = name.split(".")
    prefix = "".join(f"{part}_" for part in parts[1:])
    for label, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        figure(f"latency.{parts[0]}.{prefix}{label}", quantile(samples, share), "ms", len(samples))
    return samples


def _alertmanager(fleet: Fleet, alerts: int) -> None:
    with alertmanager(fleet) as client:
        if client is None:
            say("latency: alertmanager is not installed")
            return
        send = lambda i, run: client.post("/api/v2/alerts", json=[{"labels": {"alertname": "b", "id": f"{run}-{i}"}}])  # noqa: E731
        fleet.sandbox.control("POST", "/limits", {"events_per_minute": None})
        _measure(fleet, "alertmanager", send, alerts)
