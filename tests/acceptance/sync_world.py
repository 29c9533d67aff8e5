"""Services wired as in production on the real server and the sandbox, whose server may lose everything at any time."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from config.settings import load
from tasks.incidents.sync import IncidentSync
from tasks.runtime import Runtime
from tasks.utils.clock import MovableClock
from tasks.utils.identifiers import alert_uid
from tasks.utils.rest.client import RestClient
from tasks.utils.rows import new_event_id
from tests.loss import lose_everything

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.conftest import Sandbox

PRIMARY = "sandboxsyncprimary".ljust(32, "0")
STANDBY = "sandboxsyncstandby".ljust(32, "0")
PLATFORM = "sandboxsyncplatform".ljust(32, "0")
CROWD = "sandboxsynccrowd".ljust(32, "0")
FOREIGN = "sandboxsyncforeign".ljust(32, "0")
TOKEN = "tOcSiNtEsT0123456789"
SERVICES = {
    "shop": f"channels:\n  - {{name: primary, routing_key: {PRIMARY}}}\n  - {{name: standby, routing_key: {STANDBY}}}\n"
    "routes:\n  - {name: platform, match: ['component=disk'], service: platform}\n",
    "platform": f"channels:\n  - {{name: page, routing_key: {PLATFORM}}}\n",
    "crowd": f"channels:\n  - {{name: page, routing_key: {CROWD}}}\ngroup_by: [team]\n",
    "byrest": "channels:\n  - {name: rest, kind: pagerduty_incident, service_id: {by_rest}}\n",
    "twin": f"channels:\n  - {{name: page, routing_key: {PLATFORM}}}\n",
}


class World:
    """`shop` falls back on a standby and routes disks to `platform`, whose key `twin` shares."""

    services = SERVICES

    def __init__(self, folder: Path, redis_url: str, sandbox: Sandbox, **environ: str) -> None:
        self.sandbox = sandbox
        environment = {
            "HOME": str(folder),
            "REDIS_URL": redis_url,
            "TOCSIN_STATE_DIR": str(folder / "state"),
            "PAGERDUTY_API_KEY": TOKEN,
            "PAGERDUTY_FROM_EMAIL": "bot@example.com",
            "PAGERDUTY_API_URL": sandbox.url,
            "PAGERDUTY_EVENTS_URL": sandbox.url,
            "TOCSIN_PAGERDUTY__RETRY_ATTEMPTS": "1",
            "TOCSIN_PAGERDUTY__EVENTS_PER_MINUTE": "0",
            "TOCSIN_DEFAULT_SERVICE": "shop",
            "TOCSIN_INCIDENTS__SYNC__GRACE": "0s",
            **environ,
        }
        by_rest = self._register()
        for name, text in self.services.items():
            file = folder / "services" / f"{name}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text.replace("{by_rest}", by_rest))
        self.runtime = Runtime(load(environ=environment, config_dir=folder))
        self.client, self.keys = self.runtime.client, self.runtime.keys
        self.runtime.epochs.ask()

    def _register(self) -> str:
        """Make PagerDuty know the keys; returns its id of the service that has none of ours."""
        names = {PRIMARY: "shop", STANDBY: "standby", PLATFORM: "platform", CROWD: "crowd", FOREIGN: "foreign"}
        for key, service in names.items():
            self.sandbox.register(key, service)
        self.sandbox.control("POST", "/limits", {"events_per_minute": None, "rest_per_minute": None})
        made = self.sandbox.control("POST", "/keys", {"key": "sandboxsyncbyrest".ljust(32, "0"), "service": "by rest"})
        return str(made["service"]["id"])

    def begin_anew(self) -> None:
        """Empty both sides; nothing of before is remembered anywhere."""
        self.client.flushall()
        shutil.rmtree(self.runtime.settings.state_dir, ignore_errors=True)
        self.sandbox.reset()
        self._register()
        vars(self.runtime).pop("epochs")  # it would remember the data set
        self.runtime.epochs.ask()

    def advance(self, seconds: int) -> None:
        """Move both clocks."""
        MovableClock(self.client, self.keys).advance(timedelta(seconds=seconds))
        self.sandbox.control("POST", "/clock", {"advance_seconds": seconds})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.runtime.delivery.close()
        self.runtime.rest.close()
        self.runtime.errors.flush()

    def send(self, action: str, *keys: str, service: str = "shop", **payload: str) -> None:
        """Alerts through the door, decided on and delivered."""
        self.submit(action, *keys, service=service, **payload)
        self.work()

    def submit(self, action: str, *keys: str, service: str = "shop", **payload: str) -> list[str]:
        """Alerts through the door; the event ids."""
        alerts = []
        for key in keys:
            alert: dict[str, Any] = {"service": service, "event_action": action, "dedup_key": key}
            if action == "trigger":
                alert["payload"] = {"summary": f"{key} broke", "source": "web1", "severity": "critical", **payload}
            alerts.append(alert)
        return [one.id for one in self.runtime.alerts.submit(new_event_id(), alerts).alerts]

    def work(self) -> None:
        """What workers do until nothing is due."""
        for _ in range(20):
            drained = self.runtime.alerts.drain_inbox()
            sent = self.runtime.delivery.drain().sent
            if not drained and not sent:
                return

    def lose_everything(self) -> None:
        """Redis forgets all there was, and the pump notices."""
        offset = self.client.get(self.keys.clock) or 0
        lose_everything(self.client, self.keys)
        self.client.set(self.keys.clock, offset)
        assert self.runtime.epochs.ask()

    def sync(self, **options: Any) -> Any:
        """Compare with PagerDuty, then do what follows from it."""
        report = self.runtime.incident_sync.run(**options)
        self.work()
        return report

    def sync_that_tells(self, tell: Callable[[Sequence[str]], None]) -> None:
        """Compare, with somebody who wants to know what was rebuilt."""
        whole = self.runtime.incident_sync
        workers = replace(whole._workers, rebuilt=(tell,))
        IncidentSync(self.client, self.keys, workers, whole._rules).run()

    def waits_by_the_clock(self) -> list[float]:
        """From now on whoever waits for his turn to call moves the fleet's clock; how long each waited (seconds)."""
        waited: list[float] = []
        clock = MovableClock(self.client, self.keys)

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            clock.advance(timedelta(seconds=seconds))

        caller = self.runtime.rest.caller
        patient = replace(caller, allowance=replace(caller.allowance, sleep=sleep))
        vars(self.runtime)["rest"] = RestClient(patient, self.runtime.rest._now)
        vars(self.runtime).pop("incident_sync", None)
        return waited

    def uid(self, key: str, service: str = "shop") -> str:
        """The short name of an alert."""
        return alert_uid(service, key)

    def status(self, key: str, service: str = "shop") -> str:
        """How an alert stands here."""
        return self.client.hget(self.keys.alert(self.uid(key, service)), "status") or "unknown"

    def open_there(self) -> dict[str, int]:
        """Dedup keys of PagerDuty's open incidents, and how many of each."""
        found: dict[str, int] = {}
        for incident in self.runtime.rest.incidents.list(
            statuses=["triggered", "acknowledged"], date_range="all", include=["first_trigger_log_entries"]
        ):
            key = incident["first_trigger_log_entry"]["channel"].get("incident_key", "")
            found[key] = found.get(key, 0) + 1
        return found

    def open_incidents(self, key: str) -> list[dict[str, Any]]:
        """PagerDuty's open incidents of that key, at whatever service."""
        statuses = ["triggered", "acknowledged"]
        return list(self.runtime.rest.incidents.list(incident_key=key, statuses=statuses, date_range="all"))

    def incident(self, key: str) -> dict[str, Any]:
        """PagerDuty's newest incident of that key."""
        found = list(self.runtime.rest.incidents.list(incident_key=key, date_range="all"))
        return max(found, key=lambda one: one["incident_number"])
