"""The real processes, with an alert every so often through the gateway, while their keys are replaced from a shell.

PagerDuty's limits hold: it takes 120 events of one key in a minute, so a few alerts are ended by persons there and not by an event.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
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
    from collections.abc import Callable, Iterator
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
DATABASE: Final = "event.component matches 'db'"
PASSWORD: Final = "geheimgeheim"  # of each alert; its service wants it kept encrypted
OPEN_FOR: Final = 10  # alerts: each is ended when so many more have been opened
BY_PERSONS: Final = 5  # of so many one is resolved at PagerDuty; the rest are 108 events a minute


class RotationFleet(Fleet):
    """Gateway, workers, sentinel; service `shop`, whose key a service at PagerDuty knows; a webhook subscription.

    `orchestrated`: the key is an event orchestration's, which sends what is of component `db` to one service and the rest to another.
    """

    def __init__(self, folder: Path, *, orchestrated: bool = False, **environ: str) -> None:
        config = folder / "config"
        (config / "services").mkdir(parents=True)
        (config / "pagerduty.yaml").write_text("default_service: shop\n")
        self._service = config / "services" / "shop.yaml"
        self._write_service(ROUTING)
        self.orchestrated = orchestrated
        self._secret = folder / "webhook.secret"
        self._secret.write_text("the first secret of webhooks")
        super().__init__(
            folder,
            TOCSIN_CONFIG_DIR=str(config),
            PAGERDUTY_API_KEY=TOKEN,
            PAGERDUTY_FROM_EMAIL=USER,
            PAGERDUTY_WEBHOOK_SECRET_FILE=str(self._secret),
            JWT_SECRET=JWT_SECRET,
            **{"ENCRYPTION_KEY": ENCRYPTION_KEY, **QUICK, **environ},
        )
        self.ingest = INGEST

    def start_sandbox(self) -> None:
        """PagerDuty, with an event orchestration if there is to be one."""
        super().start_sandbox()
        user = self.ask("POST", "/users", user={"type": "user", "name": "Bot", "email": USER})["user"]
        if self.orchestrated:
            self._write_service(self._orchestrate(user["id"]))

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """A request of somebody who uses PagerDuty itself."""
        headers = {"Authorization": f"Token token={TOKEN}", "From": USER}
        answer = self.sandbox.http.request(method, path, json=body or None, headers=headers)
        answer.raise_for_status()
        return answer.json()

    def resolve_there(self, dedup_key: str) -> None:
        """Somebody resolves an alert's incident at PagerDuty."""
        (found,) = self.ask("GET", f"/incidents?date_range=all&incident_key={dedup_key}")["incidents"]
        said = {"id": found["id"], "type": "incident_reference", "status": "resolved"}
        self.ask("PUT", "/incidents", incidents=[said])

    def incidents(self) -> list[dict[str, Any]]:
        """Every incident there is."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.ask("GET", f"/incidents?date_range=all&limit=100&offset={len(found)}")
            found += page["incidents"]
            if not page["more"]:
                return found

    def start_all(self) -> None:
        """Start everything, and subscribe to PagerDuty's webhooks."""
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

    def killed_at_work(self, step: str, *words: str) -> bool:
        """Begin to rotate and kill it -9 once the rotation has come to a step; whether it was still at work then."""
        process = self.begin("tokens", *words)
        while process.poll() is None and self.step() != step:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.client.hdel(self.keys.flights, "tokens.rotate")  # as when its lease has ended
        return process.returncode == -signal.SIGKILL

    @contextmanager
    def dying(self, kind: str) -> Iterator[Callable[[float], bool]]:
        """Processes that rotate, or go on, and are killed -9 so many seconds after they have begun; whether one was still at work then."""
        words = [sys.executable, "-m", "tests.acceptance.rotation_process", json.dumps(self.environment)]
        words.append(self.environment["TOCSIN_CONFIG_DIR"])
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            ask, answers = process.stdin, process.stdout

            def die(after: float) -> bool:
                ask.write(f"{kind} - {after}\n")
                ask.flush()
                status = int(answers.readline())
                self.client.hdel(self.keys.flights, "tokens.rotate")  # as when its lease has ended
                assert status in (0, -signal.SIGKILL)
                return status != 0

            yield die
            ask.close()

    def hand_over(self) -> None:
        """Let the sender have the ingest key that is in force."""
        kept = [json.loads(text) for text in self.client.hvals(self.keys.keystore)]
        current = [value["id"] for one in kept for value in one["values"] if value["state"] == "current"]
        self.ingest = self.tokens("tokens", "reveal", "ingest", *current).strip()

    def step(self) -> str:
        """Where the rotation is that is not over."""
        kept = [json.loads(text) for text in self.client.hvals(self.keys.keystore)]
        steps = [one["rotation"].get("step", "") for one in kept]
        return next((step for step in steps if step != "done"), "")

    def finish(self, patience: float = 60) -> None:
        """Go on until no rotation is under way; the sender is given what ingest key is in force."""
        end = time.monotonic() + patience
        while found := json.loads(self.tokens("tokens", "resume", "--json"))["rotations"]:
            assert time.monotonic() < end, self.tokens("tokens", "status")
            if found[0]["kind"] == "ingest":
                self.hand_over()
            time.sleep(1)

    def witnesses(self, accepted: list[str], resolved_there: list[str]) -> Told:
        """What the driver's list, PagerDuty's log and the ledger say together; what persons ended there is not told there again."""
        verdicts = list(AuditService(self.client, self.keys, audit_rules(self.settings)).verdicts())
        answers = [one for one in verdicts if one.reason == "resolved_by_pagerduty" and one.dedup_key in resolved_there]
        return hear(accepted, self.sandbox.log(), verdicts, suppressed=[one.event_id for one in answers])

    def _write_service(self, routing_key: str) -> None:
        channels = f"channels:\n  - {{name: page, routing_key: {routing_key}}}\n"
        secret = "encrypt_fields: [custom_details.password]\n"
        self._service.write_text(f"ingest_keys: [{INGEST}]\n{channels}{secret}")

    def _orchestrate(self, user: str) -> str:
        """Make an event orchestration and two services it leads to; the answer is its key."""
        rules = [{"escalation_delay_in_minutes": 30, "targets": [{"id": user, "type": "user_reference"}]}]
        policy = {"type": "escalation_policy", "name": "Shop", "escalation_rules": rules}
        made = self.ask("POST", "/escalation_policies", escalation_policy=policy)["escalation_policy"]
        policy = {"id": made["id"], "type": "escalation_policy_reference"}
        rest, database = (
            self.ask("POST", "/services", service={"type": "service", "name": name, "escalation_policy": policy})
            for name in ("Web", "Database")
        )
        made = self.ask("POST", "/event_orchestrations", orchestration={"name": "Front door"})["orchestration"]
        rule = {"conditions": [{"expression": DATABASE}], "actions": {"route_to": database["service"]["id"]}}
        path = {
            "sets": [{"id": "start", "rules": [rule]}],
            "catch_all": {"actions": {"route_to": rest["service"]["id"]}},
        }
        self.ask("PUT", f"/event_orchestrations/{made['id']}/router", orchestration_path=path)
        return str(made["integrations"][0]["parameters"]["routing_key"])

    def _register_keys(self) -> None:
        if not self.orchestrated:
            super()._register_keys()


class Sender(threading.Thread):
    """Opens an alert each `every` seconds and ends an older one, by the gateway."""

    def __init__(self, fleet: RotationFleet, every: float) -> None:
        super().__init__(daemon=True)
        self.accepted: list[str] = []
        self.refused: list[str] = []
        self.resolved_there: list[str] = []
        self._fleet = fleet
        self._every = every
        self._open: list[str] = []
        self._stopping = threading.Event()

    def run(self) -> None:
        """Send until `end`. A fleet that has just been started takes its time for the first one."""
        number = 0
        with httpx.Client(base_url=self._fleet.url, timeout=10) as http:
            self._send(http, "trigger", "alert-0")
            self._fleet.wait(self._fleet.is_idle, 60, "the first alert is not sent")
            self._open.append("alert-0")
            while not self._stopping.wait(self._every):
                number += 1
                self._open.append(f"alert-{number}")
                self._send(http, "trigger", self._open[-1])
                if len(self._open) > OPEN_FOR:
                    self._end_one(http)
            # an alert that ends before it was sent is never sent
            self._fleet.wait(self._fleet.is_idle, 60, "the last alert is not sent")
            while self._open:
                self._end_one(http)

    def end(self) -> None:
        """Stop, once every alert has ended."""
        self._stopping.set()
        self.join(timeout=90)

    def _end_one(self, http: httpx.Client) -> None:
        key = self._open.pop(0)
        if int(key.partition("-")[2]) % BY_PERSONS:
            return self._send(http, "resolve", key)
        self._fleet.resolve_there(key)
        self.resolved_there.append(key)
        return None

    def _send(self, http: httpx.Client, action: str, key: str) -> None:
        component = "db" if int(key.partition("-")[2]) % 2 else "web"
        payload = {
            "summary": f"{key} is in trouble",
            "source": "web1",
            "severity": "critical",
            "component": component,
            "custom_details": {"password": PASSWORD},
        }
        body = {"routing_key": self._fleet.ingest, "event_action": action, "dedup_key": key, "payload": payload}
        answer = http.post("/v2/enqueue", json=body)
        (self.accepted if answer.status_code == 202 else self.refused).append(key)
