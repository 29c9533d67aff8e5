"""FLUSHALL under the real fleet: what is open at PagerDuty, what the processes say, who notices when."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx

from tests.fleet import Fleet
from tests.loss import lose_everything
from tests.program import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable
    from pathlib import Path

KEY = "sandboxlosspage".ljust(32, "0")
INGEST = "ingestlossfleet".ljust(32, "0")
POLICY = "steps:\n  - {name: late, after: 6h, targets: [{channel: page}]}\n"
TOKEN = "tOcSiNtEsT0123456789"
PATIENCE = 60


class LossFleet(Fleet):
    """Gateway, workers of every group that is concerned, sentinel; one service, whose ingest key producers use."""

    def __init__(self, folder: Path) -> None:
        config = folder / "config"
        (config / "services").mkdir(parents=True)
        (config / "pagerduty.yaml").write_text("default_service: shop\n")
        (config / "policies").mkdir()
        (config / "policies" / "nights.yaml").write_text(POLICY)
        channels = f"channels:\n  - {{name: page, routing_key: {KEY}}}\n"
        (config / "services" / "shop.yaml").write_text(f"ingest_keys: [{INGEST}]\nescalation: nights\n{channels}")
        super().__init__(
            folder,
            sandbox_options=("--no-limits",),
            TOCSIN_CONFIG_DIR=str(config),
            PAGERDUTY_API_KEY=TOKEN,
            TOCSIN_INCIDENTS__SYNC__GRACE="0s",
            TOCSIN_OWN_ALERTS__EVERY="500ms",
            LOG_LEVEL="INFO",
        )

    def start_sandbox(self) -> None:
        super().start_sandbox()
        self.environment["PAGERDUTY_API_URL"] = self.sandbox.url

    def start_all(self) -> None:
        """Start everything; the gateway's address is `url`."""
        self.url = self.start_gateway()
        self.start_workers("alert", "delivery", "maintenance")

    def post(self, action: str, keys: Iterable[str]) -> None:
        """Events at the gateway, each accepted."""
        with httpx.Client(base_url=self.url, timeout=30) as http:
            for key in keys:
                payload = {"summary": f"{key} broke", "source": "web1", "severity": "critical"}
                event = {"routing_key": INGEST, "event_action": action, "dedup_key": key, "payload": payload}
                assert http.post("/v2/enqueue", json=event).status_code == 202

    def open_there(self) -> int:
        """How many incidents are open at PagerDuty."""
        return int(self.sandbox.control("GET", "/state")["incidents"]["open"])

    def timers(self) -> int:
        """How many escalations go on by themselves."""
        return int(self.client.zcount(self.keys.escalations_due, "-inf", "(+inf"))

    def arrived(self, key: str) -> bool:
        """Whether PagerDuty has got a trigger of that key."""
        return any(entry["dedup_key"] == key and entry["event_action"] == "trigger" for entry in self.sandbox.log())

    def run(self, task: str, queue: str, **kwargs: Any) -> Any:
        """Run a task as any Celery producer would; its result."""
        return self.producer.send_task(task, kwargs=kwargs, queue=queue, ignore_result=False).get(timeout=PATIENCE)

    def tocsin(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`tocsin <words>`, and what it answered."""
        return run(*words, environment=self.environment)

    def flush(self) -> float:
        """FLUSHALL; how many seconds until the fleet has said so in the ledger."""
        lose_everything(self.client, self.keys)
        began = time.monotonic()
        self.wait(lambda: self.client.exists(self.keys.loss), PATIENCE, "nobody notices the loss")
        return time.monotonic() - began

    def last_sync(self) -> dict[str, Any]:
        """The report of the first comparison since the loss; waits for it."""
        self.wait(lambda: self.client.hget(self.keys.loss, "synced"), PATIENCE, "nobody compares with PagerDuty")
        return json.loads(self.client.hget(self.keys.sync, "report"))  # type: ignore[no-any-return]

    def rest_calls(self) -> int:
        """Calls of the REST API in the sandbox's log."""
        return sum(not entry["path"].startswith("/v2/") for entry in self.sandbox.log())
