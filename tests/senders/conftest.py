"""A whole fleet with a certificate of PagerDuty's host name, and a way for senders that know no other host."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.fleet import Fleet
from tests.senders.proxy import Proxy
from tests.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGERDUTY = "events.pagerduty.com"
ALERTMANAGER = """\
global:
  http_config: {{tls_config: {{ca_file: {authority}}}}}
route:
  receiver: webhook
  group_wait: 0s
  group_interval: 1s
  group_by: [alertname]
  routes:
    - {{matchers: ['via="v2"'], receiver: v2}}
    - {{matchers: ['via="v1"'], receiver: v1}}
receivers:
  - name: v2
    pagerduty_configs:
      - routing_key: {key}
        url: {gateway}/v2/enqueue
        severity: '{{{{ .CommonLabels.severity }}}}'
  - name: v1  # its address is fixed: the proxy stands for a DNS entry
    pagerduty_configs:
      - service_key: {key}
        http_config: {{proxy_url: {proxy}, tls_config: {{ca_file: {authority}}}}}
  - name: webhook
    webhook_configs:
      - url: {gateway}/webhooks/alertmanager
        http_config: {{authorization: {{credentials: {key}}}, tls_config: {{ca_file: {authority}}}}}
"""


@dataclass(frozen=True)
class Tocsin:
    """The fleet under test, as senders see it."""

    fleet: Fleet
    gateway: str
    authority: Path
    proxy: Proxy

    @property
    def ingest_key(self) -> str:
        return self.fleet.settings.services["default"].ingest_keys[0].get_secret_value()

    def send(self, *command: str | Path, action: str, key: str) -> str:
        """Run a sender's program; returns what it printed, which is the key it was told."""
        trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), str(self.authority))
        told = {"ROUTING_KEY": self.ingest_key, "ACTION": action, "KEY": key, "GATEWAY": self.gateway}
        ways = {"HTTPS_PROXY": self.proxy.url, "https_proxy": self.proxy.url, "NO_PROXY": "127.0.0.1"}
        environment = {**os.environ, **trust, **told, **ways, "no_proxy": "127.0.0.1", "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            [str(word) for word in command], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr + self.fleet.last_lines()
        return done.stdout

    def story(self, key: str, length: int) -> list[dict[str, Any]]:
        """What reached PagerDuty under a dedup key, in order, once so many events have."""

        def arrived() -> list[dict[str, Any]]:
            return [entry for entry in self.fleet.sandbox.log() if entry["dedup_key"] == key]

        self.fleet.wait(lambda: len(arrived()) >= length, 30, f"{key}: {length} events did not arrive")
        return arrived()

    def has_change(self, summary: str) -> bool:
        """Whether a change event of this summary reaches PagerDuty's door for them."""

        def arrived() -> list[str]:
            return [e["summary"] for e in self.fleet.sandbox.log() if e["path"] == "/v2/change/enqueue"]

        self.fleet.wait(lambda: summary in arrived(), 30, f"the change event did not arrive: {arrived()}")
        return True

    def proves(self) -> bool:
        """Whether `tocsin prove` finds the promise kept."""
        self.fleet.start("prove", "--json", name="prove")
        return self.fleet.processes["prove"].wait(timeout=60) == 0


@pytest.fixture(scope="session")
def tocsin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tocsin]:
    folder = tmp_path_factory.mktemp("senders")
    authority = Authority(folder)
    issued = authority.issue(PAGERDUTY, "127.0.0.1", "localhost")
    files = {"TOCSIN_GATEWAY__TLS_CERT_FILE": str(issued.cert), "TOCSIN_GATEWAY__TLS_KEY_FILE": str(issued.key)}
    with Fleet(folder, **files) as fleet:
        gateway = fleet.start_gateway()
        fleet.start_workers("alert", "delivery")
        place = urlsplit(gateway)
        with Proxy((place.hostname or "", place.port or 0)) as proxy:
            yield Tocsin(fleet, gateway, authority.file, proxy)


@pytest.fixture(scope="session")
def alertmanager(tocsin: Tocsin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("Alertmanager is not installed: apt install prometheus-alertmanager")
    folder: Path = tmp_path_factory.mktemp("alertmanager")
    places = {"gateway": tocsin.gateway, "proxy": tocsin.proxy.url, "authority": tocsin.authority}
    (folder / "am.yml").write_text(ALERTMANAGER.format(key=tocsin.ingest_key, **places))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [program, "--config.file=am.yml", "--storage.path=am", f"--web.listen-address={address}"]
    with (tocsin.fleet.folder / "alertmanager.log").open("w") as log:
        process = subprocess.Popen([*command, "--cluster.listen-address="], cwd=folder, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://{address}", transport=httpx.HTTPTransport(retries=8)) as client:
            yield client
    finally:
        process.terminate()
        process.wait(timeout=10)
