"""The real processes, with an alert every so often through the gateway, while their keys are replaced from a shell."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import httpx

from tasks.audit.service import AuditService
from tasks.audit.wiring import audit_rules
from tests.acceptance.rest_world import TOKEN, USER
from tests.acceptance.rotation_world import ENCRYPTION_KEY, INGEST, JWT_SECRET
from tests.conftest import ROOT
from tests.fleet import Fleet
from tests.witnesses import Told, hear

if TYPE_CHECKING:
    from pathlib import Path

ROUTING: Final = "sandboxrotation".ljust(32, "0")
QUICK: Final = {
    "TOCSIN_DELIVERY__LEASE": "6s",
    "TOCSIN_DELIVERY__DEADLINE": "3s",
    "TOCSIN_TOKENS__KEEP_FORMER": "1s",
    "TOCSIN_TOKENS__INGEST_GRACE": "1s",
    "TOCSIN_TOKENS__INGEST_QUIET": "2s",
    "TOCSIN_API__TOKEN_LIFETIME": "1s",
    "TOCSIN_API__MAX_TOKEN_LIFETIME": "1s",
}
OPEN_FOR: Final = 3  # alerts: each is ended when so many more have been opened


class RotationFleet(Fleet):
    """Gateway, workers, sentinel; service `shop`, whose key a service at PagerDuty knows; a webhook subscription."""

    def __init__(self, folder: Path, **environ: str) -> None:
        config = folder / "config"
        (config / "services").mkdir(parents=True)
        (config / "pagerduty.yaml").write_text("default_service: shop\n")
        channels = f"channels:\n  - {{name: page, routing_key: {ROUTING}}}\n"
        (config / "services" / "shop.yaml").write_text(f"ingest_keys: [{INGEST}]\n{channels}")
        self._secret = folder / "webhook.secret"
        self._secret.write_text("the first secret of webhooks")
        super().__init__(
            folder,
            sandbox_options=("--no-limits",),  # an alert a second and its end are all that PagerDuty takes of one key
            TOCSIN_CONFIG_DIR=str(config),
            PAGERDUTY_API_KEY=TOKEN,
            PAGERDUTY_FROM_EMAIL=USER,
            PAGERDUTY_WEBHOOK_SECRET_FILE=str(self._secret),
            ENCRYPTION_KEY=ENCRYPTION_KEY,
            JWT_SECRET=JWT_SECRET,
            **{**QUICK, **environ},
        )
        self.ingest = INGEST

    def start_all(self) -> None:
        """Start everything, and subscribe to PagerDuty's webhooks."""
        self.sandbox.http.post(
            "/users",
            json={"user": {"type": "user", "name": "Bot", "email": USER}},
            headers={"Authorization": f"Token token={TOKEN}", "From": USER},
        )
        self.url = self.start_gateway()
        self.start_workers("alert", "webhook", "delivery", "maintenance")
        self.start("sentinel")
        made = self.tokens("webhooks", "create", f"{self.url}/webhooks/pagerduty", "--json")
        self._secret.write_text(json.loads(made)["secret"])

    def tokens(self, *words: str) -> str:
        """What the program answers to these words."""
        done = self.begin(*words)
        out, talk = done.communicate(timeout=120)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{out}{talk}"
        return out

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """The program, at work on these words."""
        return subprocess.Popen(
            [sys.executable, "-m", "workers.cli", *words],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rotate(self, *words: str) -> dict[str, Any]:
        """The rotation that `tocsin tokens …` answers with."""
        report = json.loads(self.tokens("tokens", *words, "--json"))
        return dict(report["rotations"][0]) if report["rotations"] else {}

    def killed_at_work(self, step: str, *words: str) -> bool:
        """Begin to rotate and kill it -9 once the rotation has come to a step; whether it was still at work then."""
        process = self.begin("tokens", *words)
        while process.poll() is None and self.step() != step:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.client.hdel(self.keys.flights, "tokens.rotate")  # as when its lease has ended
        return process.returncode == -signal.SIGKILL

    def step(self) -> str:
        """Where the rotation is that is not over."""
        kept = [json.loads(text) for text in self.client.hvals(self.keys.keystore)]
        steps = [one["rotation"].get("step", "") for one in kept]
        return next((step for step in steps if step != "done"), "")

    def finish(self, patience: float = 60) -> None:
        """Go on until no rotation is under way."""
        end = time.monotonic() + patience
        while json.loads(self.tokens("tokens", "resume", "--json"))["rotations"]:
            assert time.monotonic() < end, self.tokens("tokens", "status")
            time.sleep(1)

    def witnesses(self, accepted: list[str]) -> Told:
        """What the driver's list, PagerDuty's log and the ledger say together."""
        audit = AuditService(self.client, self.keys, audit_rules(self.settings))
        return hear(accepted, self.sandbox.log(), audit.verdicts())


class Sender(threading.Thread):
    """Opens an alert each `every` seconds and ends an older one, by the gateway."""

    def __init__(self, fleet: RotationFleet, every: float) -> None:
        super().__init__(daemon=True)
        self.accepted: list[str] = []
        self.refused: list[str] = []
        self._fleet = fleet
        self._every = every
        self._open: list[str] = []
        self._stopping = threading.Event()

    def run(self) -> None:
        """Send until `end`."""
        number = 0
        with httpx.Client(base_url=self._fleet.url, timeout=10) as http:
            while not self._stopping.wait(self._every):
                number += 1
                self._open.append(f"alert-{number}")
                self._send(http, "trigger", self._open[-1])
                if len(self._open) > OPEN_FOR:
                    self._send(http, "resolve", self._open.pop(0))
            while self._open:
                self._send(http, "resolve", self._open.pop(0))

    def end(self) -> None:
        """Stop, once every alert has ended."""
        self._stopping.set()
        self.join(timeout=30)

    def _send(self, http: httpx.Client, action: str, key: str) -> None:
        payload = {"summary": f"{key} is in trouble", "source": "web1", "severity": "critical"}
        body = {"routing_key": self._fleet.ingest, "event_action": action, "dedup_key": key, "payload": payload}
        answer = http.post("/v2/enqueue", json=body)
        (self.accepted if answer.status_code == 202 else self.refused).append(key)
