"""Service `shop` whose alerts become incidents over REST, wired from its file as in production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.settings import load
from tasks.runtime import Runtime

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Sandbox

TOKEN = "tOcSiNtEsT0123456789"
USER = "bot@example.com"


class RestWorld:
    """The wiring, and PagerDuty's side of it."""

    def __init__(self, folder: Path, redis_url: str, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._folder = folder
        self.environ = {
            "HOME": str(folder),
            "REDIS_URL": redis_url,
            "TOCSIN_STATE_DIR": str(folder / "state"),
            "PAGERDUTY_API_URL": sandbox.url,
            "PAGERDUTY_EVENTS_URL": sandbox.url,
            "PAGERDUTY_API_KEY": TOKEN,
            "PAGERDUTY_FROM_EMAIL": USER,
            "TOCSIN_PAGERDUTY__RETRY_ATTEMPTS": "1",
            "TOCSIN_LIMITS__PAGERDUTY_INCIDENT": "0",
            "TOCSIN_DEFAULT_SERVICE": "shop",
        }
        self._made: list[Runtime] = []
        service = {"type": "service", "name": "shop", "escalation_policy": self._policy()}
        self.service_id = str(self.ask("POST", "/services", service=service)["service"]["id"])

    def wire(self, file: str, **environ: str) -> Runtime:
        """A process that has this service file; {service_id} stands for the id of PagerDuty's service."""
        path = self._folder / "services" / "shop.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(file.replace("SERVICE_ID", self.service_id))
        self._made.append(Runtime(load(environ={**self.environ, **environ}, config_dir=self._folder)))
        return self._made[-1]

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """A request of somebody who uses PagerDuty itself."""
        headers = {"Authorization": f"Token token={TOKEN}", "From": USER}
        answer = self.sandbox.http.request(method, path, json=body or None, headers=headers)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def incidents(self) -> list[dict[str, Any]]:
        """All of them, oldest first."""
        asked = "/incidents?date_range=all&limit=100&urgencies[]=high&urgencies[]=low&include[]=body"
        found: list[dict[str, Any]] = self.ask("GET", asked)["incidents"]
        return sorted(found, key=lambda one: one["incident_number"])

    def close(self) -> None:
        """Let go of connections."""
        for runtime in self._made:
            runtime.delivery.close()
            if "rest" in vars(runtime):
                runtime.rest.close()
            runtime.errors.flush()
            runtime.client.close()

    def _policy(self) -> dict[str, str]:
        user = self.ask("POST", "/users", user={"type": "user", "name": "Bot", "email": USER})["user"]
        rules = [{"escalation_delay_in_minutes": 30, "targets": [{"id": user["id"], "type": "user_reference"}]}]
        policy = {"type": "escalation_policy", "name": "Shop", "escalation_rules": rules}
        made = self.ask("POST", "/escalation_policies", escalation_policy=policy)["escalation_policy"]
        return {"id": str(made["id"]), "type": "escalation_policy_reference"}
