"""A small fleet with canaries in every place a secret may stand, through a busy and unlucky minute."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from config.keyring import Keyring
from config.sealed import seal_setting
from tests.conftest import ROOT
from tests.fleet import Fleet
from tests.program import run

if TYPE_CHECKING:
    from tests.security.canaries import Canaries

GROUPS: Final = ("alert", "webhook", "delivery", "maintenance")
SERVICE: Final = """
ingest_keys: ["${INGEST_KEY}"]
encrypt_fields: [custom_details.password, "custom_details.*.password", links]
channels:
  - {name: pagerduty, routing_key: "${ROUTING_KEY}", retired_keys: ["${RETIRED_KEY}"]}
  - {name: chat, kind: slack, webhook_url: "${PAGERDUTY_EVENTS_URL}/hooks/${SLACK}", allow_private: true}
"""
DEAD: Final = """
encrypt_fields: [custom_details.password]
channels:
  - {name: hook, kind: webhook, url: "http://127.0.0.1:9/${HOOK}", secret: "${SIGNER}", allow_private: true}
  - {name: mail, kind: email, to: [ops@example.com]}
"""
MAIN: Final = "email: {host: 127.0.0.1, port: 9, from: a@b.example, username: me, starttls: never, timeout: 1s}\n"
SHELL: Final = (
    ("config", "show"), ("config", "show", "--json"), ("config", "check", "--json"),
    ("alerts", "open", "--json"), ("alerts", "list", "--json"), ("alerts", "trail", "by-http", "--json"), ("alerts", "trail", "by-shell"),
    ("notifications", "dead-letters", "--json"), ("notifications", "own", "--json"), ("notifications", "limits", "--json"),
    ("notifications", "breakers", "--json"), ("errors", "top", "--json"), ("incidents", "list", "--json"), ("incidents", "sync", "--json"),
    ("schedules", "list", "--json"), ("audit", "seal"), ("audit", "verify", "--json"), ("prove", "--json"), ("backups", "create", "--json"),
    ("task", "run", "audit.seal", "--wait", "--json"),
)  # fmt: skip


class World:
    """The fleet and all that it left behind. Use as a context manager; `live` once."""

    def __init__(self, folder: Path, canaries: Canaries) -> None:
        self.canaries = canaries
        config = folder / "config"
        for name, text in {
            "services/default.yaml": SERVICE,
            "services/dead.yaml": DEAD,
            "pagerduty.yaml": MAIN,
        }.items():
            (config / name).parent.mkdir(parents=True, exist_ok=True)
            (config / name).write_text(text)
        (folder / "fleet").mkdir()
        self.fleet = Fleet(folder / "fleet", **self._environment(config))
        self.said: dict[str, str] = {}  # what commands printed, by command
        self.pages: dict[str, str] = {}  # what HTTP answered, by address

    def _environment(self, config: Path) -> dict[str, str]:
        secret = self.canaries.__getitem__
        keys = Keyring.of_texts([secret("encryption key")])
        return {
            "TOCSIN_CONFIG_DIR": str(config),
            "INGEST_KEY": secret("ingest key"),
            "ROUTING_KEY": seal_setting(secret("routing key"), keys),
            "RETIRED_KEY": secret("retired key"),
            "SLACK": secret("Slack's address"),
            "HOOK": secret("address of a webhook"),
            "SIGNER": secret("secret of a webhook"),
            "PAGERDUTY_API_KEY": seal_setting(secret("api key"), keys),
            "PAGERDUTY_WEBHOOK_SECRET": secret("webhook secret"),
            "PAGERDUTY_FROM_EMAIL": "default@sandbox.invalid",
            "ENCRYPTION_KEY": secret("encryption key"),
            "TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS": secret("former encryption key"),
            "JWT_SECRET": secret("jwt secret"),
            "TOCSIN_SECURITY__JWT_PREVIOUS_SECRETS": secret("former jwt secret"),
            "TOCSIN_FLOWER__PASSWORD": secret("Flower's password"),
            "TOCSIN_EMAIL__PASSWORD": secret("mail password"),
            "TOCSIN_DELIVERY__MAX_ATTEMPTS": "1",
            "LOG_LEVEL": "DEBUG",
        }

    def __enter__(self) -> Self:
        self.fleet.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.fleet.__exit__(*error)

    def live(self) -> None:
        """Everything that happens, good and bad."""
        fleet = self.fleet
        fleet.environment["LOG_LEVEL"] = "DEBUG"
        fleet.start("flower", "--port", "0", name="flower")
        fleet.start("sentinel", name="sentinel")
        fleet.start("beat", name="beat")
        self.gateway = fleet.start_gateway()
        fleet.start_workers(*GROUPS)
        self._alerts_by_http()
        self._alerts_by_celery()
        self._shell("alerts", "submit", "-", stdin=json.dumps(self._alert("by-shell", "field of an alert by shell")))
        fleet.wait(
            lambda: self._sent() >= {"by-http", "by-alertmanager", "by-celery", "by-shell"}, 30, "not all arrived"
        )
        fleet.wait(lambda: fleet.client.zcard(fleet.keys.dead) >= 4, 30, "not all dead letters are there")
        self._pagerduty_refuses_us()
        self._server_goes_away()
        self._look_at_everything()

    def _alert(self, key: str, secret: str, service: str = "default") -> dict[str, Any]:
        details = {"host": "web1", "password": self.canaries[secret]}
        return {
            "service": service,
            "event_action": "trigger",
            "dedup_key": key,
            "payload": {
                "summary": f"{key} is down",
                "source": "web1",
                "severity": "critical",
                "custom_details": details,
            },
        }

    def _alerts_by_http(self) -> None:
        key = self.canaries["ingest key"]
        links = [{"href": f"https://x.example/?token={self.canaries['value in a link']}", "text": "x"}]
        event = {**self._alert("by-http", "field of an alert by HTTP"), "links": links}
        labels = {"alertname": "by-alertmanager", "password": self.canaries["field of an alert by Alertmanager"]}
        self._post("/v2/enqueue", {**event, "routing_key": key})
        self._post("/webhooks/alertmanager", {"alerts": [{"labels": labels, "fingerprint": "by-alertmanager"}]}, key)
        self._post("/v2/enqueue", {**event, "routing_key": self.canaries["unknown key a sender used"]})
        self._post("/webhooks/alertmanager", {"alerts": []}, self.canaries["unknown key a sender used"])
        self._post("/v2/enqueue", {"routing_key": key, "event_action": "explode", "payload": event["payload"]})
        self._post("/webhooks/pagerduty", {"event": {}})
        self._post("/api/v1/alerts", {}, "eyJhbGciOiJIUzI1NiJ9.e30.forged")

    def _alerts_by_celery(self) -> None:
        fleet = self.fleet
        fleet.submit(self._alert("by-celery", "field of an alert by Celery"))
        fleet.submit({**self._alert("refused", "field of an alert that is refused"), "event_action": "explode"})
        fleet.submit(self._alert("dead", "field of an alert nobody can deliver", "dead"))
        wrong = {"alert": self._alert("wrong-argument", "field of a call of another shape")}
        fleet.producer.send_task("alerts.submit", kwargs=wrong, queue="alert")
        fleet.producer.send_task("alerts.submitt", kwargs=wrong, queue="alert")

    def _post(self, path: str, body: Any, key: str = "") -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = httpx.post(f"{self.gateway}{path}", json=body, headers=headers)
        self.pages[f"{len(self.pages)} POST {path} {answer.status_code}"] = answer.text

    def _sent(self) -> set[str]:
        return {str(entry.get("dedup_key", "")).removeprefix("alertmanager/") for entry in self.fleet.sandbox.log()}

    def _pagerduty_refuses_us(self) -> None:
        for path in ("/incidents", "/webhook_subscriptions"):  # not the Events API: its key would rest for minutes
            self.fleet.sandbox.fault(kind="reject", status=401, path=path)
        self._shell("incidents", "ack", "PABCDEF", "--json")
        self._shell("task", "run", "webhooks.check", "--wait", "--json", "--timeout", "10")
        self.fleet.sandbox.heal()

    def _server_goes_away(self) -> None:
        fleet = self.fleet
        fleet.server.stop()
        event = self._alert("in-the-spool", "field of an alert in the spool")
        self._post("/v2/enqueue", {**event, "routing_key": self.canaries["ingest key"]})
        self.said["spool"] = self._files("spool")
        self._shell("alerts", "open")
        fleet.server.start()
        fleet.wait(lambda: "in-the-spool" in self._sent(), 60, "what was spooled is lost")

    def _look_at_everything(self) -> None:
        letters = self.fleet.client.zrange(self.fleet.keys.dead, 0, -1)
        shown = [("notifications", "show", letter, "--json") for letter in letters]
        lines = "\n".join(json.dumps(words) for words in (*SHELL, *shown))
        command = [sys.executable, "-m", "tests.security.shell"]
        done = subprocess.run(
            command,
            input=lines,
            env=self.fleet.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        self.said |= {**json.loads(done.stdout), "stderr of all commands": done.stderr}
        broken = {
            "ENCRYPTION_KEY": f"{self.canaries['encryption key']}x",
            "REDIS_URL": f"http://:{self.canaries['jwt secret']}@h",
        }
        self._shell("config", "check", **broken)
        self._pages()

    def _pages(self) -> None:
        log = (self.fleet.folder / "flower.log").read_text()
        flower = next(json.loads(line)["url"] for line in log.splitlines() if '"url"' in line)
        with httpx.Client(base_url=flower, auth=("tocsin", self.canaries["Flower's password"])) as http:
            tasks = http.get("api/tasks").json()
            workers = http.get("api/workers").json()
            details = [f"task/{name}" for name in list(tasks)[:20]] + [f"worker/{name}" for name in workers]
            for path in (
                "",
                "workers",
                "tasks",
                "broker",
                "api/tasks",
                "api/workers",
                "api/queues/length",
                "metrics",
                *details,
            ):
                self.pages[f"flower/{path}"] = http.get(path).text
        for path in ("/metrics", "/livez", "/readyz", "/api/v1/openapi.json"):
            self.pages[path] = httpx.get(f"{self.gateway}{path}").text

    def _shell(self, *words: str, stdin: str = "", **environ: str) -> None:
        done = run(*words, environment={**self.fleet.environment, **environ}, input=stdin)
        self.said[f"tocsin {' '.join(words)} -> {done.returncode}"] = done.stdout + done.stderr

    def _files(self, part: str) -> str:
        return "".join(file.read_text() for file in sorted((self.fleet.folder / part).glob("*")) if file.is_file())

    def command_lines(self) -> dict[str, bytes]:
        """What every process list shows of our processes."""
        shown = {}
        for name, process in self.fleet.processes.items():
            file = Path(f"/proc/{process.pid}/cmdline")
            shown[name] = file.read_bytes() if file.exists() else b""
        return shown

    def files(self) -> dict[str, bytes]:
        """Every file that was written, by its name."""
        found = {}
        for folder, _, names in os.walk(self.fleet.folder):
            for name in names:
                file = Path(folder) / name
                found[str(file.relative_to(self.fleet.folder))] = file.read_bytes() if file.is_file() else b""
        return found
