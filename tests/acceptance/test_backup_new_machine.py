"""A machine burns down. An empty one delivers within two minutes from what the backup has; what was open is known, with its timers."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT, Sandbox
from tests.fleet import Fleet
from tests.integration.backups.repository_kit import KEY

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "sandboxnewmachine".ljust(32, "0")
TOKEN = "tOcSiNtEsT0123456789"
POLICY = "steps:\n  - {name: late, after: 6h, targets: [{channel: page}]}\n"
SERVICE = f"escalation: nights\nchannels:\n  - {{name: page, routing_key: {PAGE}}}\n"
OPEN = [f"k{number}" for number in range(20)]
SECONDS = 120


class Machine(Fleet):
    """A machine that talks to a PagerDuty which outlives it."""

    def __init__(self, folder: Path, pagerduty: str, backups: Path, config: Path) -> None:
        self._pagerduty = pagerduty
        folder.mkdir(exist_ok=True)
        super().__init__(
            folder,
            ENCRYPTION_KEY=KEY,
            PAGERDUTY_API_KEY=TOKEN,
            TOCSIN_CONFIG_DIR=str(config),
            TOCSIN_BACKUPS__FOLDER=str(backups),
            TOCSIN_PAGERDUTY__EVENTS_PER_MINUTE="0",
            TOCSIN_INCIDENTS__SYNC__GRACE="0s",
        )

    def start_sandbox(self) -> None:
        self.sandbox = Sandbox(self._pagerduty)
        self.environment |= {"PAGERDUTY_EVENTS_URL": self._pagerduty, "PAGERDUTY_API_URL": self._pagerduty}

    def run(self, *words: str) -> None:
        command = [sys.executable, "-m", "workers.cli", *words]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def send(self, action: str, *keys: str) -> None:
        payload = {"source": "web1", "severity": "critical"}
        alert = {"service": "shop", "event_action": action}
        self.submit(*({**alert, "dedup_key": key, "payload": {**payload, "summary": key}} for key in keys))


@pytest.mark.slow
def test_an_empty_machine_delivers_within_two_minutes_from_a_backup(tmp_path: Path, sandbox: Sandbox) -> None:
    config, backups = tmp_path / "config", tmp_path / "backups"
    (config / "services").mkdir(parents=True)
    (config / "policies").mkdir()
    (config / "pagerduty.yaml").write_text("default_service: shop\n")
    (config / "policies" / "nights.yaml").write_text(POLICY)
    (config / "services" / "shop.yaml").write_text(SERVICE)
    with Machine(tmp_path / "old", sandbox.url, backups, config) as old:
        old.start_workers("alert", "delivery")
        old.send("trigger", *OPEN)
        old.wait(lambda: old.ended() == len(OPEN), 60, "not delivered")
        old.run("audit", "seal")
        old.run("backups", "create", "--part", "state", "--part", "config")

    began = time.monotonic()
    bare = {"ENCRYPTION_KEY": KEY, "TOCSIN_BACKUPS__FOLDER": str(backups), "TOCSIN_STATE_DIR": str(tmp_path / "new")}
    restore = ("backups", "restore", "latest", "--yes")
    into = ("--target", "config", "--into", str(tmp_path / "found"))
    command = [sys.executable, "-m", "workers.cli", *restore, *into]
    assert subprocess.run(command, env=bare, cwd=ROOT, check=False).returncode == 0
    with Machine(tmp_path / "new", sandbox.url, backups, tmp_path / "found" / "config") as new:
        new.run(*restore, "--target", "state")
        new.start_workers("alert", "delivery")
        new.send("trigger", "fresh")
        new.wait(lambda: "fresh" in open_there(sandbox), 60, "not delivered")
        took = time.monotonic() - began

        assert took < SECONDS
        assert sorted(open_there(sandbox)) == sorted([*OPEN, "fresh"])
        assert new.client.zcard(new.keys.escalations_due) == len(OPEN) + 1
        new.run("incidents", "sync")
        new.send("resolve", *OPEN, "fresh")
        new.wait(lambda: open_there(sandbox) == [], 60, "not resolved")
        assert new.client.zcard(new.keys.escalations_due) == 0
        new.run("audit", "verify")


def open_there(sandbox: Sandbox) -> list[str]:
    """Titles of what is open at PagerDuty."""
    return [one["title"] for one in sandbox.incidents() if one["status"] != "resolved"]
