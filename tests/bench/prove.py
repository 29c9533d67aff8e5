"""Proof: how long `tocsin prove` takes over 100,000 alerts: delivered and sealed, delivered and not sealed yet, and all still waiting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.local.embedded import start_server
from tasks.alerts.acceptance import AlertRules
from tasks.alerts.service import AlertService
from tasks.audit.service import AuditRules, AuditService
from tasks.notifications.channels.protocol import Address
from tasks.notifications.dispatch import Dispatch
from tasks.notifications.letters import Letters
from tasks.notifications.service import DeliveryRules, DeliveryService, Route
from tasks.notifications.telling import Teller
from tasks.utils.connect import connect
from tasks.utils.keys import Keys
from tasks.utils.metrics_collector import Metrics
from tasks.utils.notification_builder import NotificationBuilder
from tasks.utils.rows import Outcome
from tests.bench.figures import figure, say
from tests.conftest import ROOT

if TYPE_CHECKING:
    from tasks.notifications.channels.protocol import Message

ALERTS = 100_000
A_MESSAGE = 500
HOUR = timedelta(hours=1)


class Taker:
    """PagerDuty as fast as can be: it takes everything at once."""

    def send(self, message: Message) -> Outcome:
        del message
        return Outcome("sent")

    def close(self) -> None:
        """Nothing to close."""


def run(alerts: int = ALERTS) -> None:
    """Take in and deliver so many, of which some repeat, some resolve, some are refused; then prove it."""
    with tempfile.TemporaryDirectory() as name, start_server(Path(name) / "redis", persist=False) as server:
        folder = Path(name)
        with connect(server.url) as client:
            environment = {**os.environ, "REDIS_URL": server.url, "TOCSIN_STATE_DIR": name}
            _fill(client, alerts, delivers=False)
            _prove("waiting", environment, alerts)
            client.flushall()
            _fill(client, alerts)
            audit = AuditService(client, Keys(), AuditRules(folder / "ledger"))
            _prove("live", environment, alerts)
            started = time.perf_counter()
            entries = audit.seal().sealed
            figure("prove.tocsin.seal_rate", entries / (time.perf_counter() - started), "/s", entries)
            _prove("sealed", environment, alerts)


def _prove(what: str, environment: dict[str, str], alerts: int) -> None:
    started = time.perf_counter()
    command = [sys.executable, "-m", "workers.cli", "prove", "--json"]
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    took = time.perf_counter() - started
    report = json.loads(done.stdout)
    late = report["broken_by"].keys() - {
        "overdue"
    }  # while it is being filled some wait for longer than the promise allows
    if late or report["events"] != alerts:
        raise AssertionError(f"{report['events']} events, {report['broken_count']} broken")
    say(
        f"prove: {report['sealed_entries']} sealed and {report['live_entries']} live entries, {report['took_seconds']} s"
    )
    figure(f"prove.tocsin.{what}", took, "s", alerts)


def _fill(client: Any, alerts: int, *, delivers: bool = True) -> None:
    say(f"prove: takes in {'and delivers ' * delivers}{alerts} alerts")
    keys = Keys()
    service = AlertService(client, keys, AlertRules({"shop": HOUR}, "shop", A_MESSAGE, 5))
    dispatch = Dispatch({"pagerduty": Taker()}, Letters(client, keys, NotificationBuilder))
    second = timedelta(seconds=1)
    rules = DeliveryRules(30 * second, 2 * second, 1000, 5, second, 60 * second, 60 * second)
    route = Route([Address("primary", "pagerduty", "http://127.0.0.1", {"kid": "k" * 32})], {"critical": 60_000})
    delivery = DeliveryService(client, keys, {"shop": route}, dispatch, rules, Teller(Metrics()))
    for first in range(0, alerts, A_MESSAGE):
        service.submit(f"message-{first}", [_alert(number) for number in range(first, min(alerts, first + A_MESSAGE))])
        while delivers and delivery.drain().attempts:
            pass
    delivery.close()


def _alert(number: int) -> dict[str, Any]:
    """Of a hundred: 70 triggers, 18 resolves of those, 10 repeats, 2 that are refused."""
    of, place = divmod(number, 100)
    if place >= 98:
        return {"service": "shop", "event_action": "shout"}
    key = f"k{of}-{place % 70}"
    action = "resolve" if place >= 80 else "trigger"
    payload = {"summary": f"{key} is slow", "source": "web1", "severity": "critical"}
    return {"service": "shop", "event_action": action, "dedup_key": key, "payload": payload}
