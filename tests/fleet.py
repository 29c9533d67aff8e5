"""The real processes: server, sandbox, gateway, workers, started and killed as tests, benches and chaos need them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from celery import Celery

from config.channels import PagerDutyChannel
from config.settings import load
from deploy.local.embedded import start_server
from deploy.local.guard import Guard
from tasks.utils.connect import connect
from tasks.utils.keys import Keys
from tests.conftest import ROOT, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.models import Settings


class Fleet:
    """A fleet of its own in a folder of its own. Use as a context manager; what is started in it ends with it."""

    server_folder = "server"

    def __init__(self, folder: Path, *, sandbox_options: tuple[str, ...] = (), **environment: str) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._sandbox_options = sandbox_options
        self._extra = environment
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._guard = Guard()  # ends what is left should this process be killed
        self._stack.callback(self._guard.close)
        self.server = self._stack.enter_context(start_server(self.folder / self.server_folder))
        self.client = self._stack.enter_context(connect(self.server.url))
        self.keys = Keys()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "PAGERDUTY_"))},
            "REDIS_URL": self.server.url,
            "TOCSIN_STATE_DIR": str(self.folder),
            "ENVIRONMENT": "development",
            "LOG_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
            **({"TOCSIN_PAGERDUTY__EVENTS_PER_MINUTE": "0"} if "--no-limits" in self._sandbox_options else {}),
            **self._extra,
        }
        self.start_sandbox()
        self.settings: Settings = load(environ=self.environment)
        self.producer = Celery("producer", broker=self.server.url, backend=self.server.url)
        self.producer.conf.update(
            broker_transport_options={"global_keyprefix": self.keys.prefix},
            result_backend_transport_options={"global_keyprefix": self.keys.prefix},
        )
        self._register_keys()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and "sandbox" in self.processes and self.processes["sandbox"].poll() is None:
                self.sandbox.watch.check()
        finally:
            self._end()

    def _end(self) -> None:
        for name in list(self.processes):
            self.stop(name)
        self.producer.close()
        self.sandbox.http.close()
        self._stack.close()

    def start_sandbox(self) -> None:
        """Start the sandbox on a free port and point the fleet at it."""
        command = [sys.executable, "-m", "deploy.sandbox", "--host", "127.0.0.1", "--port", "0", *self._sandbox_options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, start_new_session=True)
        assert process.stdout is not None
        self._guard.watch(process.pid)
        self.processes["sandbox"] = process
        self._stack.callback(process.stdout.close)
        self.sandbox = Sandbox(json.loads(process.stdout.readline())["url"])
        self.environment |= {"PAGERDUTY_EVENTS_URL": self.sandbox.url, "PAGERDUTY_API_URL": self.sandbox.url}

    def start(self, *words: str, name: str = "") -> subprocess.Popen[bytes]:
        """Run `tocsin <words>`; its output goes to `<folder>/<name>.log`."""
        name = name or "-".join(words)
        if name in self.processes:
            self._guard.forget(self.processes[name].pid)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "workers.cli", *words],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._guard.watch(self.processes[name].pid)
        return self.processes[name]

    def start_gateway(self) -> str:
        """Start the gateway on a free port; returns its address once it is ready."""
        gateway = self.start("gateway", "--port", "0", name="gateway")
        log = self.folder / "gateway.log"
        self.wait(lambda: '"url"' in log.read_text() or gateway.poll() is not None, 60, "the gateway does not listen")
        assert gateway.poll() is None, self.last_lines()
        lines = [line for line in log.read_text().splitlines() if '"url"' in line]
        return str(json.loads(lines[-1])["url"])

    def start_workers(self, *groups: str) -> None:
        """Start one worker of each group and wait until all of them answer."""
        for group in groups:
            self.start("worker", group, name=group)
        self.wait_for_workers(len(groups))

    def wait_for_workers(self, count: int, patience: float = 60) -> None:
        """Until so many workers answer a ping."""
        self.wait(lambda: len(self.producer.control.ping(timeout=0.3)) >= count, patience, "workers do not answer")

    def kill(self, name: str) -> None:
        """SIGKILL a process and everything in its session."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
        self._guard.forget(process.pid)

    def stop(self, name: str, patience: float = 30) -> int:
        """End a process as a supervisor would; returns its exit code."""
        process = self.processes.pop(name)
        if process.poll() is None:
            process.terminate()
        try:
            return process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)
            raise
        finally:
            self._guard.forget(process.pid)

    def revive(self, *names: str) -> bool:
        """Start workers anew that have ended by themselves, as a supervisor does: without a server they end with 69."""
        for name in names:
            if self.processes[name].poll() is not None:
                self.start("worker", name.partition("-")[0], name=name)
        return True

    @property
    def in_flight(self) -> int:
        """How many sends a delivery worker may have begun when something happens to it."""
        return max(self.settings.workers.delivery.concurrency, getattr(self.settings.delivery, "in_flight", 0))

    def submit(self, *alerts: dict[str, Any]) -> str:
        """Send one `alerts.submit` message as any Celery producer would; returns the task id."""
        result = self.producer.send_task("alerts.submit", kwargs={"alerts": list(alerts)}, queue="alert")
        return str(result.id)

    def is_idle(self) -> bool:
        """Whether nothing waits: no message, no inbox row, no outbox row."""
        queues = ("alert", "delivery")
        return (
            not any(self.client.llen(self.keys.queue(queue)) for queue in queues)
            and not self.client.hlen(self.keys.inbox)
            and not self.client.zcard(self.keys.queued)
            and not self.client.zcard(self.keys.untold)
        )

    def ended(self) -> int:
        """How many events have come to an end, dead letters included."""
        return int(self.client.llen(self.keys.closed)) + int(self.client.zcard(self.keys.dead))

    def wait(self, is_true: Callable[[], object], patience: float, otherwise: str) -> None:
        """Poll until a condition holds; fails with what the workers wrote last."""
        end = time.monotonic() + patience
        while not is_true():
            if time.monotonic() > end:
                raise AssertionError(f"{otherwise} after {patience} s\n{self.last_lines()}")
            time.sleep(0.05)

    def last_lines(self) -> str:
        """The ends of all logs."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {log.name}\n" + "\n".join(log.read_text().splitlines()[-15:]) for log in logs)

    def _register_keys(self) -> None:
        names: dict[str, str] = {}  # services may share a key
        for service in self.settings.services.values():
            for channel in service.channels:
                if isinstance(channel, PagerDutyChannel):
                    names.setdefault(channel.routing_key.get_secret_value(), service.name)
        for key, name in names.items():
            self.sandbox.register(key, name)
