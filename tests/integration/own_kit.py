"""A sentinel wired as in production, whose clocks a test moves, and what people got to know from it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, Self

from config.settings import load
from tasks.runtime import Runtime
from tasks.utils.rows import new_event_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

KEY = "sandboxownalerts".ljust(32, "0")
LOOK = timedelta(seconds=10)
SERVICES = {
    "tocsin": "channels:\n"
    f"  - {{name: page, routing_key: {KEY}}}\n"
    "  - {{name: chat, kind: slack, webhook_url: '{hooks}/own', allow_private: true}}\n"
    "severity_deadlines: {{critical: 20s}}\n",
    "shop": f"quota: 5\nchannels:\n  - {{name: primary, routing_key: {'sandboxshop'.ljust(32, '0')}}}\n"
    "  - {{name: desk, kind: slack, webhook_url: '{hooks}/shop', allow_private: true}}\n"
    "severity_deadlines: {{critical: 20s}}\n",
}


class Town:
    """Service `shop`, which has a quota and falls back on a chat, and `tocsin`, which takes the own alerts."""

    def __init__(self, folder: Path, redis_url: str, sandbox: Sandbox, **settings: str) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.environ = {
            "HOME": str(folder),
            "REDIS_URL": redis_url,
            "TOCSIN_STATE_DIR": str(folder / "state"),
            "TOCSIN_PAGERDUTY__EVENTS_URL": sandbox.url,
            "TOCSIN_PAGERDUTY__RETRY_ATTEMPTS": "1",
            "TOCSIN_DEFAULT_SERVICE": "shop",
            "TOCSIN_OWN_ALERTS__SERVICE": "tocsin",
            **{f"TOCSIN_OWN_ALERTS__{name.upper()}": value for name, value in settings.items()},
        }
        for name, text in SERVICES.items():
            file = folder / "services" / f"{name}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text.replace("{hooks}", f"{sandbox.url}/hooks").replace("{{", "{").replace("}}", "}"))
        sandbox.register(KEY, "tocsin")
        sandbox.register("sandboxshop".ljust(32, "0"), "shop")
        self._made: list[Runtime] = []

    def runtime(self) -> Runtime:
        """The wiring of one more process."""
        self._made.append(Runtime(load(environ=self.environ, config_dir=self.folder)))
        return self._made[-1]

    def told(self, name: str = "") -> list[tuple[str, str]]:
        """Each own alert that arrived, in order: where, and what happened, such as `("page", "trigger")`."""
        found = []
        for entry in self.sandbox.log():
            if entry["path"].startswith("/hooks/own"):
                said = entry["summary"] if name else ""
                found += [("chat", said)] if name in ("", "chat") else []
            elif (entry["dedup_key"] or "").startswith(f"tocsin-own:{name}") and entry["status"] == 202:
                found.append(("page", entry["event_action"]))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for runtime in self._made:
            runtime.delivery.close()
            runtime.own_alerts.close()
            runtime.errors.flush()
            runtime.client.close()


class Fleet:
    """One process that accepts, delivers and watches, on a clock that is moved look by look."""

    def __init__(self, town: Town, clock: MovableClock) -> None:
        self.runtime = town.runtime()
        self._clock = clock

    def submit(self, *keys: str) -> list[str]:
        """Alerts of service `shop`, each with a key of its own."""
        payload = {"summary": "in trouble", "source": "web1", "severity": "critical"}
        alerts = [{"service": "shop", "event_action": "trigger", "dedup_key": key, "payload": payload} for key in keys]
        return [one.id for one in self.runtime.alerts.submit(new_event_id(), alerts).alerts]

    def work(self) -> None:
        """What workers of both groups do, the pulse included."""
        self.runtime.pulse.came_by("alert")
        self.runtime.alerts.drain_inbox()
        self.runtime.delivery.digest()
        self.runtime.delivery.drain()
        self.runtime.pulse.came_by("delivery")

    def watch(self, looks: int = 1, *, works: bool = True, watchers: list[Any] | None = None) -> None:
        """Let time go by, ten seconds a look."""
        for number in range(looks):
            self._clock.advance(LOOK)
            watchers = watchers or [self.runtime.own_alerts]
            watchers[number % len(watchers)].look(nothing_scheduled)
            if works:
                self.work()


def nothing_scheduled(_: Any) -> dict[str, list[str]]:
    return {}


@contextmanager
def outside() -> Iterator[tuple[str, list[str]]]:
    """Somebody outside who waits for the dead-man's signal: the address, and what came."""
    came: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/ping/0123-secret", came
        server.shutdown()
        thread.join()
