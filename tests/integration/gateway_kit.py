"""A gateway as users run it: its own process, on a server of its own."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from config.mapping_files import load_mapping, mapping_paths
from config.models import Settings
from config.services import Service
from deploy.local.embedded import Server
from tasks.utils.keys import Keys
from tasks.utils.rows import Inbox
from tasks.utils.trust import authorities
from workers.gateway.server import run

KEY = "a1" * 16
SECOND_KEY = "b2" * 16
JWT_SECRET = "a secret of 32 characters or more"
ORCHESTRATION_KEY = "R0" * 16
ORCHESTRATED_KEY = "f6" * 16  # of a service whose channel leads to an orchestration
KEYS = Keys()
TRIGGER: dict[str, Any] = {
    "routing_key": KEY,
    "event_action": "trigger",
    "dedup_key": "db-1/disk",
    "payload": {"summary": "disk full", "source": "db-1", "severity": "critical"},
}


def settings(redis_url: str, folder: Path, **gateway: object) -> Settings:
    web = Service.model_validate(
        {
            "name": "web",
            "ingest_keys": [KEY, SECOND_KEY, ORCHESTRATION_KEY],
            "channels": [{"name": "pagerduty", "routing_key": "c3" * 16}],
        }
    )
    orchestrated = Service.model_validate(
        {
            "name": "orchestrated",
            "ingest_keys": [ORCHESTRATED_KEY],
            "channels": [{"name": "pagerduty", "routing_key": ORCHESTRATION_KEY}],
        }
    )
    return Settings.model_validate(
        {
            "state_dir": folder,
            "config_dir": folder,
            "redis": {"url": redis_url},
            "security": {"jwt_secret": JWT_SECRET},
            "spool": gateway.pop("spool", {}),
            "pagerduty": gateway.pop("pagerduty", {}),
            "gateway": gateway,
            "services": {"web": web, "orchestrated": orchestrated},
            "mappings": {name: load_mapping(path, {}) for name, path in mapping_paths(folder).items()},
        }
    )


@dataclass
class Gateway:
    process: subprocess.Popen[str]
    url: str
    log: Path

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=10, verify=authorities())

    def connect(self) -> socket.socket:
        """A bare connection, for what no HTTP client would send."""
        _, host, port = self.url.split(":")
        return socket.create_connection((host.strip("/"), int(port)), timeout=10)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=15)


@contextmanager
def running_gateway(server: Server, folder: Path, **gateway: object) -> Iterator[Gateway]:
    script = f"from tests.integration.gateway_kit import serve; serve({server.url!r}, {str(folder)!r}, **{gateway!r})"
    log = folder / "gateway.log"
    with (
        log.open("w") as stderr,
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, log.read_text()
            yield Gateway(process, json.loads(line)["url"], log)
        finally:
            process.terminate()
            process.wait(timeout=15)


def serve(redis_url: str, folder: str, **gateway: object) -> None:
    run(settings(redis_url, Path(folder), **gateway), "127.0.0.1", 0)


def rows(server: Server) -> list[dict[str, Any]]:
    """The alerts in the inbox, in the order a worker is given them."""
    with server.client(decode_responses=True) as redis:
        return [row.alert for row in Inbox(redis, KEYS).claim(10_000, timedelta(0), "test")]
