"""A fleet in one process, wired as in production from service files that a test writes."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

from config.settings import load
from tasks.runtime import Runtime
from tasks.utils.rows import new_event_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Sandbox

NAMES = ("primary", "standby", "night", "desk", "database")
KEYS = {name: f"sandbox{name}".ljust(32, "0") for name in NAMES}
CHANNELS = """
channels:
  - {name: primary, routing_key: PRIMARY}
  - {name: standby, routing_key: STANDBY}
  - {name: night, routing_key: NIGHT, routed_only: true}
  - {name: desk, routing_key: DESK, routed_only: true}
"""
DATABASE = "channels: [{name: primary, routing_key: DATABASE}]"


class Fleet:
    """Services `shop` (four channels, the routes a test gives it) and `database` (one channel), on a server and the sandbox."""

    def __init__(self, folder: Path, redis_url: str, sandbox: Sandbox) -> None:
        self._folder = folder
        self._sandbox = sandbox
        self.environ = {
            "HOME": str(folder),
            "REDIS_URL": redis_url,
            "TOCSIN_STATE_DIR": str(folder / "state"),
            "TOCSIN_PAGERDUTY__EVENTS_URL": sandbox.url,
        }
        self._runtimes: list[Runtime] = []
        for name, key in KEYS.items():
            sandbox.register(key, name)

    def configured(self, routes: str = "", **settings: str) -> Runtime:
        """The wiring as of a configuration whose service `shop` has these routes."""
        self._write("pagerduty.yaml", "default_service: shop\n" + settings.get("more", ""))
        self._write("services/shop.yaml", CHANNELS + (f"routes:\n{dedent(routes)}" if routes else ""))
        self._write("services/database.yaml", DATABASE)
        runtime = Runtime(load(environ=self.environ, config_dir=self._folder))
        self._runtimes.append(runtime)
        return runtime

    def _write(self, name: str, text: str) -> None:
        for channel, key in KEYS.items():
            text = text.replace(f"routing_key: {channel.upper()}", f"routing_key: {key}")
        file = self._folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    def sent(self) -> list[tuple[str, str]]:
        """What the other side took, in order: which key's name, and what happened."""
        names = {key: name for name, key in KEYS.items()}
        return [(names[entry["routing_key"]], entry["outcome"]) for entry in self._sandbox.log()]

    def close(self) -> None:
        for runtime in self._runtimes:
            runtime.delivery.close()
            runtime.errors.flush()  # else a thread writes them into another test's server
            runtime.client.close()


def send(runtime: Runtime, *alerts: dict[str, Any]) -> list[str]:
    """Submit alerts and deliver what is due; returns the event ids."""
    decisions = runtime.alerts.submit(new_event_id(), list(alerts)).alerts
    runtime.delivery.drain()
    return [decision.id for decision in decisions]


def trigger(key: str = "disk", severity: str = "critical", **labels: str) -> dict[str, Any]:
    payload = {"summary": f"{key} is in trouble", "source": "web1", "severity": severity, "custom_details": labels}
    return {"service": "shop", "event_action": "trigger", "dedup_key": key, "payload": payload}


def follow(action: str, key: str = "disk") -> dict[str, Any]:
    """An acknowledge or resolve without a payload."""
    return {"service": "shop", "event_action": action, "dedup_key": key}
