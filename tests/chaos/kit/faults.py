"""Everything that can go wrong, a class each: `strike` begins it, `heal` ends it."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final

import httpx

from tests.chaos.kit.emptied import DataLost, Flushed
from tests.chaos.kit.fault import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.kit.stage import Shape, Stage


class Kill(Fault):
    """A process is killed by SIGKILL, and started anew a moment later."""

    def strike(self) -> None:
        self.stage.kill(self.target)

    def heal(self) -> None:
        self.stage.start(self.target)

    def may_repeat(self) -> int:
        return self.stage.fleet.in_flight if self.target.startswith("delivery") else 0


class Freeze(Kill):
    """A process stands still, and goes on as if nothing had been."""

    def strike(self) -> None:
        self.stage.freeze(self.target)

    def heal(self) -> None:
        self.stage.thaw(self.target)


class OfServer(Fault):
    """What keeps outcomes from being written: whatever was being sent by any worker may be sent again."""

    def may_repeat(self) -> int:
        return self.stage.fleet.in_flight * self.stage.shape.delivery


class ServerKilled(OfServer):
    """The server is killed; it comes back with what its append-only file holds."""

    def strike(self) -> None:
        self.stage.fleet.server.kill()

    def heal(self) -> None:
        self.stage.fleet.server.restart()


class ServerPaused(OfServer):
    """The server stands still: connections stay, answers do not come. What it was told meanwhile it does later."""

    def strike(self) -> None:
        os.kill(self.stage.fleet.server.pid, signal.SIGSTOP)

    def heal(self) -> None:
        os.kill(self.stage.fleet.server.pid, signal.SIGCONT)


class ServerRefuses(OfServer):
    """The server answers, but refuses to write."""

    before: ClassVar[tuple[str, ...]]
    after: ClassVar[tuple[str, ...]]

    def strike(self) -> None:
        self.stage.fleet.client.execute_command(*self.before)

    def heal(self) -> None:
        self.stage.fleet.client.execute_command(*self.after)


class ServerFull(ServerRefuses):
    """Its memory is used up: OOM."""

    before = ("CONFIG", "SET", "maxmemory", "1mb")
    after = ("CONFIG", "SET", "maxmemory", "0")


class ServerWithoutReplicas(ServerRefuses):
    """It wants a replica that is not there: NOREPLICAS."""

    before = ("CONFIG", "SET", "min-replicas-to-write", "1")
    after = ("CONFIG", "SET", "min-replicas-to-write", "0")


class ServerReadOnly(ServerRefuses):
    """It is made a replica of something that is not there, as in a fail-over gone wrong: READONLY."""

    before = ("REPLICAOF", "127.0.0.1", "1")
    after = ("REPLICAOF", "NO", "ONE")


class OfLink(Fault):
    """What happens to one of the links, `server` or `sandbox`."""

    def __init__(self, stage: Stage, target: str = "", *, way: str) -> None:
        super().__init__(stage, target)
        self.link = stage.server_link if way == "server" else stage.sandbox_link

    def heal(self) -> None:
        self.link.heal()

    def may_repeat(self) -> int:
        return self.stage.fleet.in_flight * self.stage.shape.delivery


class Cut(OfLink):
    """Every connection is reset."""

    def strike(self) -> None:
        self.link.cut()


class Slow(OfLink):
    """Every byte takes a fifth of a second more."""

    def strike(self) -> None:
        self.link.slow(0.2)

    def may_repeat(self) -> int:
        return 0


class Silent(OfLink):
    """Connections are half open: the other side has vanished and nobody says so."""

    def strike(self) -> None:
        self.link.silence()


class Refused(OfLink):
    """Nobody listens."""

    def strike(self) -> None:
        self.link.refuse()


class Weather(Fault):
    """PagerDuty misbehaves; the sandbox's log says of every request whether it was spoilt."""

    def __init__(self, stage: Stage, target: str = "", **spec: Any) -> None:
        super().__init__(stage, target)
        self.spec = spec
        self.id = ""

    def strike(self) -> None:
        self.id = self.stage.fleet.sandbox.fault(path="/v2/enqueue", **self.spec)

    def heal(self) -> None:
        with suppress(httpx.HTTPStatusError):  # gone when it has spoilt as many requests as it was asked to
            self.stage.fleet.sandbox.control("DELETE", f"/faults/{self.id}")


class ClockForward(Fault):
    """The fleet's clock runs ahead.

    Never by more at once than a lease outlasts a send: what a worker measures with its own clock goes by in real time.
    """

    STEP: Final = 4.0
    EVERY: Final = 3.5

    def strike(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def heal(self) -> None:
        self._over.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        self.stage.set_clock_forward(self.STEP)
        while not self._over.wait(self.EVERY):
            self.stage.set_clock_forward(self.STEP)


def weather(**spec: Any) -> Callable[[Stage, str], Fault]:
    return lambda stage, target: Weather(stage, target, **spec)


def link(fault: type[OfLink], way: str) -> Callable[[Stage, str], Fault]:
    return lambda stage, target: fault(stage, target, way=way)


BRIEF: Final = (0.2, 2.0)
SERVER_KINDS: Final = {
    "server killed": Kind(ServerKilled, "server", (0.0, 4.0)),
    "server paused": Kind(ServerPaused, "server", (1.0, 7.0)),
    "server full": Kind(ServerFull, "server", (1.0, 6.0)),
    "server without replicas": Kind(ServerWithoutReplicas, "server", (1.0, 6.0)),
    "server read-only": Kind(ServerReadOnly, "server", (1.0, 6.0)),
    "server flushed": Kind(Flushed, "server", (0.0, 0.0)),
    "server data lost": Kind(DataLost, "server", (0.0, 4.0)),
}
LINK_KINDS: Final = {
    "link to server cut": Kind(link(Cut, "server"), "link to server", (0.0, 0.0)),
    "link to server slow": Kind(link(Slow, "server"), "link to server", (2.0, 6.0)),
    "link to server silent": Kind(link(Silent, "server"), "link to server", (1.0, 7.0)),
    "PagerDuty: reset": Kind(link(Cut, "sandbox"), "link to PagerDuty", (0.0, 0.0)),
    "PagerDuty: far away": Kind(link(Slow, "sandbox"), "link to PagerDuty", (2.0, 6.0)),
    "PagerDuty: silent": Kind(link(Silent, "sandbox"), "link to PagerDuty", (1.0, 5.0)),
    "PagerDuty: refuses": Kind(link(Refused, "sandbox"), "link to PagerDuty", (1.0, 5.0)),
}
WEATHER_KINDS: Final = {
    "PagerDuty: 5xx": Kind(weather(kind="error"), "weather", (2.0, 6.0)),
    "PagerDuty: 429": Kind(weather(kind="throttle", headers=True, count=8), "weather", (2.0, 5.0)),
    "PagerDuty: bare 429": Kind(weather(kind="throttle", headers=False, count=8), "weather", (2.0, 5.0)),
    "PagerDuty: slow": Kind(weather(kind="slow", delay_seconds=4, count=30), "weather", (1.0, 4.0)),
    "PagerDuty: lost before": Kind(weather(kind="reset", ingest=False), "weather", (1.0, 4.0)),
    "PagerDuty: lost after": Kind(weather(kind="reset", ingest=True), "weather", (1.0, 3.0)),
    "PagerDuty: truncated": Kind(weather(kind="truncated"), "weather", (1.0, 3.0)),
    "PagerDuty: 5xx, but taken": Kind(weather(kind="error", ingest=True), "weather", (1.0, 3.0)),
    "PagerDuty: outage": Kind(weather(kind="outage"), "weather", (2.0, 8.0)),
}
CLOCK_KINDS: Final = {"clock runs ahead": Kind(ClockForward, "clock", (0.5, 10.0))}


def kinds_for(shape: Shape) -> dict[str, Kind]:
    """Every kind of fault this fleet can suffer."""
    alert, delivery, maintenance, beat = (
        tuple(name for name in shape.commands() if name.startswith(group))
        for group in ("alert", "delivery", "maintenance", "beat")
    )
    kills = {
        "alert worker killed": Kind(Kill, "", BRIEF, alert),
        "delivery worker killed": Kind(Kill, "", BRIEF, delivery),
        "maintenance killed": Kind(Kill, "", BRIEF, maintenance),
        "beat killed": Kind(Kill, "", BRIEF, beat),
        "gateway killed": Kind(Kill, "", BRIEF, ("gateway",)),
        "alert worker frozen": Kind(Freeze, "", (2.0, 12.0), alert),
        "delivery worker frozen": Kind(Freeze, "", (2.0, 12.0), delivery),
        "gateway frozen": Kind(Freeze, "", (0.5, 4.0), ("gateway",)),
    }
    possible = {name: kind for name, kind in kills.items() if kind.targets}
    return possible | SERVER_KINDS | LINK_KINDS | WEATHER_KINDS | CLOCK_KINDS
