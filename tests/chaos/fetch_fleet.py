"""Real workers on a real server, to be killed, frozen and counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from celery import Celery

from deploy.local.embedded import Server, start_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import redis

ROOT = Path(__file__).parents[2]
OPTIONS = ("-l", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat")


def await_that(claim: Callable[[], object], seconds: float = 90, what: str = "it") -> None:
    """Return as soon as `claim` holds; fail if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)


@dataclass
class Worker:
    """One Celery worker process of `tests.chaos.apps`."""

    fleet: Fleet
    log: Path
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] = field(init=False)
    starts: int = 0

    def start(self) -> None:
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, cwd=ROOT, stdout=log, stderr=log)

    def await_ready(self) -> None:
        await_that(lambda: self.text().count(" ready.") == self.starts or not self.lives, what="the worker's start")
        assert self.lives, self.text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    @property
    def lives(self) -> bool:
        return self.process.poll() is None

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@dataclass
class Fleet:
    """A server, the workers on it, and a producer that knows nothing of Tocsin."""

    folder: Path
    server: Server
    workers: list[Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.redis: redis.Redis = self.server.client()
        self.producer = Celery("producer", broker=self.server.url, set_as_current=False)
        self.producer.conf.broker_transport_options = {"global_keyprefix": "t:"}

    def worker(self, *, pool: str = "threads", slots: int = 4, ready: bool = True, **environment: str) -> Worker:
        """Start a worker; `environment` is what `tests.chaos.apps` reads, without its T_."""
        command = [sys.executable, "-m", "celery", "-A", "tests.chaos.apps", "worker", "-P", pool, "-c", str(slots)]
        name = f"w{len(self.workers)}"
        settings = {"T_BROKER": self.server.url, **{f"T_{key.upper()}": value for key, value in environment.items()}}
        worker = Worker(
            self, self.folder / f"{name}.log", [*command, *OPTIONS, "-n", f"{name}@test"], {**os.environ, **settings}
        )
        self.workers.append(worker)
        worker.start()
        if ready:
            worker.await_ready()
        return worker

    def send(self, numbers: Iterable[int], *, queue: str = "alert", task: str = "t.count") -> None:
        with self.producer.connection_for_write() as connection:
            for number in numbers:
                self.producer.send_task(task, args=[number], queue=queue, connection=connection)

    def done(self) -> dict[int, int]:
        """How often each number was counted."""
        return {int(number): int(times) for number, times in self.redis.hgetall("done").items()}

    def is_drained(self, queue: str = "alert") -> bool:
        """Whether nothing waits, is in flight, or is unacknowledged."""
        return not self.redis.exists(f"t:{queue}", f"t:_fetch.inflight.{queue}", "t:unacked")

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.redis.close()
        self.producer.close()
        self.server.stop()


@contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """A fleet of its own in `folder`, gone afterwards."""
    the_fleet = Fleet(folder, start_server(folder / "redis"))
    try:
        yield the_fleet
    finally:
        the_fleet.close()
