"""The API as its users meet it: a gateway process on a server of its own, tokens, and the workers' part on demand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from deploy.local.embedded import Server, start_server
from tasks.runtime import Runtime
from tasks.tokens.scopes import scopes_of
from tasks.tokens.service import AccessTokens
from tasks.tokens.wiring import token_rules
from tasks.utils.trust import authorities
from tests.integration.gateway_kit import Gateway, running_gateway, settings

ALERT: dict[str, Any] = {
    "service": "web",
    "event_action": "trigger",
    "dedup_key": "db-1/disk",
    "payload": {"summary": "disk full", "source": "db-1", "severity": "warning"},
}


@dataclass
class Api:
    """A running API."""

    gateway: Gateway
    runtime: Runtime
    server: Server

    def token(self, role: str | None = None, *scopes: str, subject: str = "anna") -> str:
        tokens = AccessTokens(token_rules(self.runtime.settings))
        return tokens.issue(subject, scopes_of(role, scopes), timedelta(hours=1))

    def client(self, role: str | None = None, *scopes: str, subject: str = "anna") -> httpx.Client:
        """A client whose token has this role or these scopes."""
        headers = {"Authorization": f"Bearer {self.token(role, *scopes, subject=subject)}"}
        return httpx.Client(base_url=f"{self.gateway.url}/api/v1", headers=headers, timeout=10, verify=authorities())

    def decide(self) -> None:
        """What the workers of group alert do."""
        self.runtime.alerts.drain_inbox()

    def forget(self) -> None:
        """Empty the server."""
        self.runtime.client.flushall()


@contextmanager
def running_api(folder: Path) -> Iterator[Api]:
    with start_server(folder / "redis") as server:
        runtime = Runtime(settings(server.url, folder))
        with running_gateway(server, folder) as gateway:
            yield Api(gateway, runtime, server)
        runtime.client.close()


def submit(http: httpx.Client, *alerts: Any) -> Any:
    return http.post("/alerts", json={"alerts": list(alerts)})


def all_pages(http: httpx.Client, path: str, name: str, limit: int) -> list[str]:
    """The ids on all pages."""
    found, cursor = [], ""
    while True:
        page = http.get(path, params={"limit": limit, "cursor": cursor}).json()
        assert len(page[name]) <= limit
        found += [entry["uid" if name == "alerts" else "id"] for entry in page[name]]
        cursor = page["next_cursor"]
        if not cursor:
            return found


def bury(api: Api, *keys: str) -> list[str]:
    """Dead letters, all of one moment; their ids."""
    api.runtime.alerts.bury("message", [{**ALERT, "dedup_key": key} for key in keys], "poison", "killed its worker")
    return [f"message:{number}" for number in range(len(keys))]
