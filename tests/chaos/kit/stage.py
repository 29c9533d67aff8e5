"""The real fleet, with a link of ours on every way that may be disturbed, and a supervisor that starts anew what ends."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import httpx
import redis

from tests.chaos.kit.link import Link
from tests.conftest import ROOT
from tests.fleet import Fleet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.kit.losses import Span

QUICK: Final = {
    "TOCSIN_DELIVERY__LEASE": "5s",
    "TOCSIN_DELIVERY__DEADLINE": "3s",
    "TOCSIN_WORKERS__ALERT__VISIBILITY_TIMEOUT": "8s",
    "TOCSIN_WORKERS__DELIVERY__VISIBILITY_TIMEOUT": "8s",
}
IMPATIENT: Final = {
    **QUICK,
    "TOCSIN_DELIVERY__LEASE": "8s",  # longer than a send by more than the clock is ever set forward at once
    "TOCSIN_DELIVERY__BACKOFF_CAP": "5s",
    "TOCSIN_DELIVERY__THROTTLE_PAUSE": "5s",
    "TOCSIN_PAGERDUTY__CIRCUIT_BREAKER__RECOVERY_TIMEOUT": "5s",
}
ONE_WAY: Final = 0.04  # seconds to PagerDuty: sends are in flight for a while, as they are in life
REST_KEY: Final = "tOcSiNtEsT0123456789"
PAUSE: Final = 0.5  # seconds between two looks of the supervisor


@dataclass(frozen=True)
class Shape:
    """How many processes of each kind, and for how many services."""

    alert: int = 1
    delivery: int = 2
    maintenance: int = 0
    beat: int = 1
    services: int = 20

    def commands(self) -> dict[str, tuple[str, ...]]:
        """The words after `tocsin` of every process but the gateway, by its name."""
        groups = {"alert": self.alert, "delivery": self.delivery, "maintenance": self.maintenance}
        workers = {f"{group}-{n}": ("worker", group) for group, count in groups.items() for n in range(1, count + 1)}
        return workers | {f"beat-{n}": ("beat",) for n in range(1, self.beat + 1)}


class Stage:
    """A fleet to be disturbed. `fleet` has direct ways to server and sandbox; the fleet's processes go by the links."""

    def __init__(self, folder: Path, shape: Shape, *, sandbox_options: tuple[str, ...] = ("--no-limits",)) -> None:
        self.shape = shape
        self.fleet = Fleet(
            folder,
            sandbox_options=sandbox_options,
            TOCSIN_CONFIG_DIR=str(write_config(folder, shape)),
            PAGERDUTY_API_KEY=REST_KEY,  # what is open there is asked for once everything is lost
            **IMPATIENT,
        )
        self.ended: Counter[tuple[str, int]] = Counter()  # what ended by itself: process, exit code
        self.away: set[str] = set()  # what a fault has taken down or frozen, and will bring back
        self.emptied: list[
            Span
        ] = []  # when the server lost everything: before the one time there was all, after the other nothing
        self.jumps: list[tuple[float, float]] = []  # when the clock was set forward, by how many seconds
        self.lock = threading.RLock()
        self.clock_lock = threading.Lock()
        self._commands = shape.commands()
        self._stack = ExitStack()
        self._over = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        fleet = self._stack.enter_context(self.fleet)
        self.server_link = self._stack.enter_context(Link("127.0.0.1", fleet.server.port))
        sandbox = httpx.URL(fleet.sandbox.url)
        self.sandbox_link = self._stack.enter_context(Link(sandbox.host, sandbox.port or 80, delay=ONE_WAY))
        self.redis_url = fleet.server.url.replace(f":{fleet.server.port}/", f":{self.server_link.port}/")
        fleet.environment["REDIS_URL"] = self.redis_url
        there = f"http://127.0.0.1:{self.sandbox_link.port}"
        fleet.environment |= {"PAGERDUTY_EVENTS_URL": there, "PAGERDUTY_API_URL": there}
        for name in self._commands:
            self.start(name)
        self.gateway_url = fleet.start_gateway()
        self._commands["gateway"] = ("gateway", "--port", self.gateway_url.rpartition(":")[2])
        fleet.wait_for_workers(sum(command[0] == "worker" for command in self._commands.values()))
        self._supervisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._supervisor.join(timeout=10)
        self.server_link.heal()
        self.sandbox_link.heal()
        for name in self.away & set(self.fleet.processes):
            self.thaw(name)
        self._stack.close()

    def names(self, *kinds: str) -> list[str]:
        """The processes of these kinds."""
        return [name for name in self._commands if name.partition("-")[0] in kinds]

    def start(self, name: str) -> None:
        """Start a process of the fleet; its supervisor cares for it from now on."""
        with self.lock:
            self.away.discard(name)
            self.fleet.start(*self._commands[name], name=name)

    def kill(self, name: str) -> None:
        """SIGKILL it. It stays away until `start`."""
        with self.lock:
            self.away.add(name)
            self.fleet.kill(name)

    def freeze(self, name: str) -> None:
        """SIGSTOP it."""
        with self.lock:
            self.away.add(name)
            os.killpg(self.fleet.processes[name].pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """SIGCONT it."""
        with self.lock:
            self.away.discard(name)
            os.killpg(self.fleet.processes[name].pid, signal.SIGCONT)

    def set_clock_forward(self, seconds: float) -> None:
        """Let so much time have passed, for the fleet and for PagerDuty; not, if the server cannot be told."""
        fleet = self.fleet
        with suppress(redis.RedisError), self.clock_lock, fleet.client.pipeline() as together:
            together.incrby(fleet.keys.clock, round(seconds * 1000))
            together.lpush(fleet.keys.wake, "1")
            together.execute()
            self.jumps.append((time.time(), seconds))
            fleet.sandbox.control("POST", "/clock", {"advance_seconds": seconds})

    def is_over(self) -> bool:
        """Whether nothing waits any more, be it in the spool or in Redis."""
        try:
            spooled = httpx.get(f"{self.gateway_url}/readyz", timeout=5).json()["spool"]["rows"]
            return not spooled and self.fleet.is_idle()
        except (httpx.TransportError, redis.RedisError):
            return False

    def _supervise(self) -> None:
        while not self._over.wait(PAUSE):
            with self.lock:
                for name in [name for name in self._commands if name not in self.away]:
                    code = self.fleet.processes[name].poll()
                    if code is not None:
                        self.ended[name, code] += 1
                        self.start(name)


def write_config(folder: Path, shape: Shape) -> Path:
    """A configuration with so many services, each with a key to send alerts with and one to deliver them with."""
    config = folder / "config"
    unwanted = shutil.ignore_patterns("*.py", "__pycache__", "services", "policies")
    shutil.copytree(ROOT / "config", config, ignore=unwanted)
    services = config / "services"
    services.mkdir()
    for name in service_names(shape):
        text = f"ingest_keys: [{ingest_key(name)}]\nchannels: [{{name: primary, routing_key: {routing_key(name)}}}]\n"
        (services / f"{name}.yaml").write_text(text)
    (config / "pagerduty.yaml").write_text(f"default_service: {service_names(shape)[0]}\n")
    return config


def service_names(shape: Shape) -> list[str]:
    """What the services are called."""
    return [f"service-{number:02}" for number in range(shape.services)]


def ingest_key(service: str) -> str:
    """The key its alerts come in with."""
    return "ingest" + service.replace("-", "").rjust(26, "0")


def routing_key(service: str) -> str:
    """The key they go out with."""
    return "outgoing" + service.replace("-", "").rjust(24, "0")
