"""Flood: thousands of alerts of many services through one key, on PagerDuty's real limit. Is anything lost, and who waits how long?"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tasks.audit.service import AuditRules, AuditService
from tests.bench.contestants import alertmanager, routing_key
from tests.bench.figures import figure, say
from tests.conftest import ROOT
from tests.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ALERTS: Final = 6000
SERVICES: Final = 40
SECONDS: Final = 60
A_SECOND: Final = ALERTS // SECONDS
SEVERITIES: Final = ("critical", "error", "warning", "warning", "info")
LIMIT: Final = 120
SERVICE: Final = "channels:\n  - {{name: pagerduty, routing_key: {key}}}\nteam: team-{team}\n"


def run() -> None:
    """The same flood through Tocsin and, where it is installed, through Alertmanager."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Fleet(folder, TOCSIN_CONFIG_DIR=str(_write_config(folder))) as fleet:
            _tocsin(fleet)
            fleet.sandbox.reset_but_keys([routing_key(0)])
            _alertmanager(fleet)


def _write_config(folder: Path) -> Path:
    config = folder / "config"
    shutil.copytree(ROOT / "config", config, ignore=shutil.ignore_patterns("*.py", "__pycache__", "services"))
    (config / "services").mkdir()
    for index in range(SERVICES):
        text = SERVICE.format(key=routing_key(0), team=index % 5)
        (config / "services" / f"svc{index}.yaml").write_text(text)
    (config / "services" / "default.yaml").write_text(SERVICE.format(key=routing_key(0), team=0))
    return config


def _alert(index: int) -> dict[str, Any]:
    payload = {"summary": f"alert {index}", "source": "bench", "severity": SEVERITIES[index % len(SEVERITIES)]}
    body = {"event_action": "trigger", "dedup_key": f"alert-{index}", "payload": payload}
    return {**body, "service": f"svc{index % SERVICES}"}


def _paced(second: int, started: float) -> range:
    time.sleep(max(0.0, started + second - time.time()))
    return range(second * A_SECOND, (second + 1) * A_SECOND)


def _tocsin(fleet: Fleet) -> None:
    fleet.start_workers("alert", "delivery")
    say("flood: through Tocsin")
    started = time.time()
    first_of: dict[str, float] = {}
    for second in range(SECONDS):
        batch = [_alert(index) for index in _paced(second, started)]
        for alert in batch:
            first_of.setdefault(alert["service"], time.time())
        fleet.submit(*batch)
    fleet.wait(lambda: fleet.is_idle() and fleet.ended() >= ALERTS, 900, "the flood is not through")
    entries = fleet.sandbox.log()
    proof = AuditService(fleet.client, fleet.keys, AuditRules(fleet.folder / "audit")).prove()
    figure("flood.tocsin.broken", proof.broken_count, "alerts", ALERTS)
    figure("flood.tocsin.delivered", proof.delivered, "alerts", ALERTS)
    figure("flood.tocsin.merged", proof.merged, "alerts", ALERTS)
    figure("flood.tocsin.lost", ALERTS - proof.delivered - proof.merged, "alerts", ALERTS)
    figure("flood.tocsin.unnamed", ALERTS - len(_named(entries)), "alerts", ALERTS)
    _budget(entries, started)
    waits = sorted(at - first_of[service] for service, at in _first_out(entries).items())
    figure("flood.tocsin.first_of_service_p99", waits[-1], "s", len(waits))
    figure("flood.tocsin.services_heard", len(waits), "services", SERVICES)
    figure("flood.tocsin.through", max(entry["at"] for entry in entries) - started, "s", ALERTS)


def _named(entries: Iterable[Mapping[str, Any]]) -> set[str]:
    """The alerts that PagerDuty was told of, by themselves or in a summary."""
    named: set[str] = set()
    for entry in entries:
        if entry["status"] == 202:
            details = (entry["body"].get("payload") or {}).get("custom_details") or {}
            named |= {entry["dedup_key"], *(one["dedup_key"] for one in details.get("alerts", ()))}
            named |= set(details.get("also", ()))
    return {name for name in named if name.startswith("alert-")}


def _first_out(entries: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """When each service was first heard of."""
    found: dict[str, float] = {}
    for entry in entries:
        for name in _named([entry]):
            service = f"svc{int(name.partition('-')[2]) % SERVICES}"
            found[service] = min(found.get(service, entry["at"]), entry["at"])
    return found


def _budget(entries: Iterable[Mapping[str, Any]], started: float) -> None:
    """Requests in any minute, and how much of the limit was used while the flood went on."""
    times = sorted(entry["at"] for entry in entries)
    most = max(sum(begin <= at < begin + 60 for at in times) for begin in times)
    figure("flood.tocsin.most_in_a_minute", most, "requests", len(times))
    during = sum(started <= at < started + 60 for at in times)
    figure("flood.tocsin.used_of_limit", during / LIMIT, "ratio", len(times))
    throttled = sum(entry["status"] == 429 for entry in entries)
    figure("flood.tocsin.throttled", throttled, "answers", len(times))


def _alertmanager(fleet: Fleet) -> None:
    with alertmanager(fleet) as client:
        if client is None:
            return
        say("flood: through Alertmanager")
        started = time.time()
        for second in range(SECONDS):
            labels = [
                {"alertname": f"svc{index % SERVICES}", "id": f"alert-{index}"} for index in _paced(second, started)
            ]
            client.post("/api/v2/alerts", json=[{"labels": one} for one in labels])
        time.sleep(240)  # as long as Tocsin may take
        entries = fleet.sandbox.log()
        metrics = client.get("/metrics").text
    taken = [entry for entry in entries if entry["status"] == 202]
    told: dict[str, float] = defaultdict(lambda: float("inf"))
    for entry in taken:
        name = str(entry["summary"] or "")
        if name.startswith("alert-"):
            service = f"svc{int(name.partition('-')[2]) % SERVICES}"
            told[service] = min(told[service], entry["at"] - started)
    figure("flood.alertmanager.told", len({entry["summary"] for entry in taken}), "alerts", ALERTS)
    figure("flood.alertmanager.throttled", sum(entry["status"] == 429 for entry in entries), "answers", len(entries))
    failed = [float(line.split()[-1]) for line in metrics.splitlines() if _counts_failures(line)]
    figure("flood.alertmanager.failed_notifications", sum(failed), "notifications", ALERTS)
    figure("flood.alertmanager.services_heard", len(told), "services", SERVICES)
    figure("flood.alertmanager.first_of_service_slowest", max(told.values(), default=float("inf")), "s", len(told))


def _counts_failures(line: str) -> bool:
    return line.startswith("alertmanager_notifications_failed_total") and 'integration="pagerduty"' in line
