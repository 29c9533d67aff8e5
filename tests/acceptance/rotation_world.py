"""Two machines of one fleet, wired as in production, whose keys are replaced while alerts flow."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.runtime import Runtime
from tests.acceptance.rest_world import RestWorld
from tests.acceptance.routed import send

if TYPE_CHECKING:
    from pathlib import Path

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

    def machine(self, name: str, *, routing_key: str = "", **environ: str) -> Runtime:
        """A process on a machine of that name, which has a state folder of its own."""
        service = SERVICE.replace("INGEST", INGEST).replace("ROUTING", routing_key or self.first_key)
        runtime = self.wire(
            service,
            TOCSIN_STATE_DIR=str(self._folder / name),
            ENCRYPTION_KEY=ENCRYPTION_KEY,
            JWT_SECRET=JWT_SECRET,
            **environ,
        )
        runtime.tokens._pause = self.pass_by
        return runtime

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
        runtime.renew()
        send(runtime, {"service": "shop", "event_action": action, "dedup_key": key, **more})

    def outcomes(self) -> list[tuple[str, str, str, int]]:
        """What came to PagerDuty: action, dedup key, routing key, status."""
        return [
            (one.get("event_action", ""), one.get("dedup_key", ""), one["routing_key"], one["status"])
            for one in self.sandbox.log()
        ]
