"""Incidents of the real sandbox, and the service that acts on them, as tests use both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.incidents.wishes import wish_of

if TYPE_CHECKING:
    from tasks.incidents.models import ActionReport
    from tasks.incidents.rows import ActionRows
    from tasks.incidents.service import IncidentService
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox

KEY = "A" * 32
OTHER_KEY = "B" * 32


@dataclass
class Ward:
    """Where incidents are looked after."""

    sandbox: Sandbox
    rest: RestClient
    rows: ActionRows
    service: IncidentService

    def trigger(self, *dedup_keys: str, key: str = KEY) -> list[str]:
        """New incidents of these keys; their ids."""
        self.sandbox.register(key, "shop" if key == KEY else "web")
        for dedup_key in dedup_keys:
            payload = {"summary": f"{dedup_key} is full", "source": "db1", "severity": "critical"}
            event = {"routing_key": key, "event_action": "trigger", "dedup_key": dedup_key, "payload": payload}
            self.sandbox.http.post("/v2/enqueue", json=event).raise_for_status()
        return [str(self.of(dedup_key)["id"]) for dedup_key in dedup_keys]

    def of(self, dedup_key: str) -> dict[str, Any]:
        """The newest incident of a key."""
        return next(self.rest.incidents.list(incident_key=dedup_key, date_range="all", sort_by="created_at:desc"))

    def status(self, incident_id: str) -> str:
        return str(self.rest.incidents.get(incident_id)["status"])

    def notes(self, incident_id: str) -> list[str]:
        return [note["content"] for note in self.rest.incidents.notes(incident_id)]

    def service_id(self, name: str = "shop") -> str:
        """PagerDuty's id of a service."""
        return next(one["id"] for one in self.rest.services.list() if one["name"] == name)

    def act(self, verb: str, targets: Any = (), request_id: str = "r1", **asked: Any) -> ActionReport:
        """What a person asks for."""
        return self.service.act(request_id, wish_of(verb, targets, **asked))

    def ask(self, verb: str, targets: Any = (), request_id: str = "r1", **asked: Any) -> ActionReport:
        """What a task asks for."""
        return self.service.ask(request_id, wish_of(verb, targets, **asked))

    def requests(self, method: str, path: str) -> int:
        """How many such requests have reached the sandbox."""
        return sum(1 for entry in self.sandbox.log() if (entry["method"], entry["path"]) == (method, path))


def outcomes(report: ActionReport) -> list[str]:
    """What became of each incident."""
    return [answer.outcome for answer in report.answers]
