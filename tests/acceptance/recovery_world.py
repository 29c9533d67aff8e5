"""A machine that talks to a PagerDuty which outlives it, and can lose all it has: server, state folder, configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tests.conftest import ROOT, Sandbox
from tests.fleet import Fleet
from tests.integration.backups.repository_kit import KEY
from tests.program import run

if TYPE_CHECKING:
    from pathlib import Path

PAGE: Final = "sandboxrecoverpage".ljust(32, "0")
STANDBY: Final = "sandboxrecoverstandby".ljust(32, "0")
TOKEN: Final = "tOcSiNtEsT0123456789"
HEADERS: Final = {"Authorization": f"Token token={TOKEN}"}
POLICY: Final = """steps:
  - {name: one, after: 30m, targets: [{channel: standby}]}
  - {name: two, after: 30m, targets: [{channel: page}]}
"""
SERVICE: Final = """escalation: nights
channels:
  - {name: page, routing_key: "${PAGE_KEY}"}
  - {name: standby, routing_key: "${STANDBY_KEY}"}
"""


class Machine(Fleet):
    """Its server lies where `tocsin up` and `tocsin recover` have it."""

    server_folder = "redis"

    def __init__(self, folder: Path, sandbox: Sandbox, backups: Path, config: Path) -> None:
        self._outlives = sandbox.url
        folder.mkdir(exist_ok=True)
        super().__init__(folder, **variables(folder, backups, config))

    def start_sandbox(self) -> None:
        """There is one."""
        self.sandbox = Sandbox(self._outlives)
        self.environment |= {"PAGERDUTY_EVENTS_URL": self.sandbox.url, "PAGERDUTY_API_URL": self.sandbox.url}

    def send(self, action: str, *keys: str) -> None:
        """News of these alerts."""
        payload = {"source": "web1", "severity": "critical"}
        alert = {"service": "shop", "event_action": action}
        self.submit(*({**alert, "dedup_key": key, "payload": {**payload, "summary": key}} for key in keys))

    def steps(self) -> Counter[str]:
        """How many escalations went on from the backup, and took which step, as the ledger has it."""
        told: Counter[str] = Counter()
        for _, entry in self.client.xrange(self.keys.ledger):
            if entry["e"].startswith("escalation-"):
                told[entry["r"] if entry["s"] == "resumed" else entry["s"]] += 1
        return told

    def timers(self) -> int:
        """How many escalations go on by themselves."""
        return int(self.client.zcount(self.keys.escalations_due, "-inf", "(+inf"))

    def arrived(self, routing_key: str) -> Counter[str]:
        """How often each dedup key came as a trigger with that routing key."""
        taken = [one for one in self.sandbox.log() if one["routing_key"] == routing_key]
        return Counter(one["dedup_key"] for one in taken if one["event_action"] == "trigger")

    def open_there(self) -> Counter[str]:
        """Titles of what is open at PagerDuty."""
        return Counter(one["title"] for one in open_incidents(self.sandbox))


def open_incidents(sandbox: Sandbox) -> list[dict[str, Any]]:
    """All of them, page by page."""
    found: list[dict[str, Any]] = []
    asked = {"limit": 100, "date_range": "all", "statuses[]": ["triggered", "acknowledged"]}
    while True:
        answer = sandbox.http.get("/incidents", params={**asked, "offset": len(found)}, headers=HEADERS)
        page = answer.raise_for_status().json()
        found += page["incidents"]
        if not page["more"]:
            return found


def resolve_there(sandbox: Sandbox, *titles: str) -> None:
    """Somebody resolves these incidents at PagerDuty."""
    for one in open_incidents(sandbox):
        if one["title"] in titles:
            body = {"incident": {"type": "incident_reference", "status": "resolved"}}
            answer = sandbox.http.put(
                f"/incidents/{one['id']}", json=body, headers={**HEADERS, "From": "bot@example.com"}
            )
            answer.raise_for_status()


def variables(state: Path, backups: Path, config: Path) -> dict[str, str]:
    """The environment a person sets on a machine; the secrets come from where secrets are kept."""
    return {
        "ENCRYPTION_KEY": KEY,
        "PAGERDUTY_API_KEY": TOKEN,
        "PAGE_KEY": PAGE,
        "STANDBY_KEY": STANDBY,
        "TOCSIN_STATE_DIR": str(state),
        "TOCSIN_CONFIG_DIR": str(config),
        "TOCSIN_BACKUPS__FOLDER": str(backups),
        "TOCSIN_PAGERDUTY__EVENTS_PER_MINUTE": "0",
        "TOCSIN_INCIDENTS__SYNC__GRACE": "0s",
    }


def write_config(folder: Path) -> None:
    """One service that escalates twice."""
    texts = {"pagerduty.yaml": "default_service: shop\n", "services/shop.yaml": SERVICE, "policies/nights.yaml": POLICY}
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def tocsin(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program with this environment and no other variable of Tocsin's."""
    return run(*words, environment=_surroundings(environment))


def start_tocsin(environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    """The same, while it runs."""
    pipes: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-m", "workers.cli", *words]
    return subprocess.Popen(command, env=_surroundings(environment), cwd=ROOT, text=True, **pipes)


def _surroundings(environment: dict[str, str]) -> dict[str, str]:
    foreign = ("TOCSIN_", "PAGERDUTY_", "REDIS_")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(foreign)}, **environment}


def burn_down(*folders: Path) -> None:
    """Nothing is left of them."""
    for folder in folders:
        shutil.rmtree(folder)


def addresses(sandbox: Sandbox) -> dict[str, str]:
    """Where PagerDuty is."""
    return {"PAGERDUTY_EVENTS_URL": sandbox.url, "PAGERDUTY_API_URL": sandbox.url}


def step(report: dict[str, Any], name: str) -> str:
    """What a recovery says of one of its steps."""
    return next(one["words"] for one in report["steps"] if one["name"] == name)
