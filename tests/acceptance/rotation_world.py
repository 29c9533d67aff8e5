"""Two machines of one fleet, wired as in production, whose keys are replaced while alerts flow."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.rotating import RotationWiring
from tests.acceptance.rest_world import RestWorld
from tests.acceptance.routed import send
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tasks.runtime import Runtime
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

ENCRYPTION_KEY: Final = "A" * 43 + "="
JWT_SECRET: Final = "a secret of 32 characters or more"
WEBHOOK_SECRET: Final = "the first secret of webhooks"
SERVICE: Final = "ingest_keys: [INGEST]\nchannels:\n  - {name: primary, routing_key: ROUTING}\n"
INGEST: Final = "ingest00000000000000000000000001"


class RotationWorld(RestWorld):
    """Service `shop` with one integration at PagerDuty; `here` rotates, `there` is another machine."""

    def __init__(self, folder: Path, redis_url: str, sandbox: Sandbox, clock: MovableClock) -> None:
        super().__init__(folder, redis_url, sandbox)
        self.clock = clock
        made = self.ask(
            "POST",
            f"/services/{self.service_id}/integrations",
            integration={"type": "events_api_v2_inbound_integration", "name": "Tocsin"},
        )["integration"]
        self.first_key: str = made["integration_key"]
        self.first_integration: str = made["id"]
        self._routing = self.first_key
        self.here = self.machine("here")
        self.there = self.machine("there")

    def machine(self, name: str, **environ: str) -> Runtime:
        """A process on a machine of that name, which has a state folder of its own."""
        service = SERVICE.replace("INGEST", INGEST).replace("ROUTING", self.first_key)
        runtime = self.wire(service, **{**self._of_machine(name), **environ})
        runtime.tokens = RotationWiring(runtime, self.pass_by)
        return runtime

    def _of_machine(self, name: str) -> dict[str, str]:
        return {
            "TOCSIN_STATE_DIR": str(self._folder / name),
            "ENCRYPTION_KEY": ENCRYPTION_KEY,
            "JWT_SECRET": JWT_SECRET,
            "PAGERDUTY_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }

    @contextmanager
    def dying(self, kind: str, key: str) -> Iterator[Callable[[str], int]]:
        """Processes of a third machine that rotate and die: call with `before`, `after` or `none`; the exit status."""
        environ = json.dumps({**self.environ, **self._of_machine("dying")})
        words = [sys.executable, "-m", "tests.acceptance.rotation_process", environ, str(self._folder)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            ask, answers = process.stdin, process.stdout

            def die(when: str) -> int:
                ask.write(f"{kind} {key} {when}\n")
                ask.flush()
                return int(answers.readline())

            yield die
            ask.close()

    def pass_by(self, seconds: float = 3600) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(seconds=seconds))

    def integrations(self) -> list[dict[str, Any]]:
        """Those of the service, as PagerDuty has them."""
        found = self.ask("GET", f"/services/{self.service_id}?include[]=integrations")["service"]["integrations"]
        return list(found)

    def send(self, runtime: Runtime, action: str, key: str) -> None:
        """An alert of `shop`, delivered by the process of `runtime`."""
        payload = {"summary": f"{key} is in trouble", "source": "web1", "severity": "critical"}
        more = {"payload": payload} if action == "trigger" else {}
        runtime.renew_at_once()  # the clock runs by hours here, and a look is taken once a second of real time
        send(runtime, {"service": "shop", "event_action": action, "dedup_key": key, **more})

    def outcomes(self) -> list[tuple[str, str, str, int]]:
        """What came to PagerDuty: action, dedup key, routing key, status."""
        return [
            (one.get("event_action", ""), one.get("dedup_key", ""), one["routing_key"], one["status"])
            for one in self.sandbox.log()
            if one["path"] == "/v2/enqueue"
        ]


class Traffic:
    """Alerts that flow meanwhile: one opens on one machine, an older one ends on another."""

    def __init__(self, world: RotationWorld) -> None:
        self._world = world
        self._open: list[str] = []
        self._count = 0

    def flow(self, opens: Runtime, ends: Runtime, keep: int = 3) -> None:
        """One more alert; the oldest ends once there are more than `keep`."""
        self._count += 1
        self._open.append(f"alert-{self._count}")
        self._world.send(opens, "trigger", self._open[-1])
        if len(self._open) > keep:
            self._world.send(ends, "resolve", self._open.pop(0))

    def end(self, ends: Runtime) -> None:
        """All that are open end."""
        while self._open:
            self._world.send(ends, "resolve", self._open.pop(0))

    def opened(self) -> dict[str, str]:
        """Which key each alert was opened with."""
        return self._keys("trigger")

    def closed(self) -> dict[str, str]:
        """Which key the end of each alert went to."""
        return self._keys("resolve")

    def refused(self) -> list[tuple[str, str, str, int]]:
        """What PagerDuty did not take."""
        return [one for one in self._world.outcomes() if one[3] != 202]

    def _keys(self, action: str) -> dict[str, str]:
        found = self._world.outcomes()
        return {key: routing for what, key, routing, _ in found if what == action and key.startswith("alert-")}


class Subscriptions:
    """Webhook subscriptions that lead to Tocsin, and a gateway that says which secret it saw."""

    def __init__(self, world: RotationWorld) -> None:
        self._world = world

    def made(self, description: str) -> str:
        """One somebody made; its id."""
        subscription = {
            "type": "webhook_subscription",
            "delivery_method": {"type": "http_delivery_method", "url": "http://127.0.0.1:9/webhooks/pagerduty"},
            "description": description,
            "events": ["incident.triggered"],
            "filter": {"type": "account_reference"},
        }
        made = self._world.ask("POST", "/webhook_subscriptions", webhook_subscription=subscription)
        return str(made["webhook_subscription"]["id"])

    def all(self) -> list[dict[str, Any]]:
        """Those there are."""
        return list(self._world.ask("GET", "/webhook_subscriptions")["webhook_subscriptions"])

    def pinged(self, seconds: float) -> None:
        """Time passes, and a gateway has seen a webhook signed with the secret that is coming."""
        self._world.pass_by(seconds)
        here = self._world.here
        coming = [one.id for key in here.keystore.read() for one in key.values if one.state == "coming"]
        here.client.hset(here.keys.keys_seen, mapping={f"{one}:used": here.clock.now_ms() for one in coming})
