from dataclasses import dataclass
from typing import Any, Final

import httpx

from tasks.health.checks.events import NOTHING

TOKEN: Final = {"Authorization": "Token token=demo-demo-demo-demo-"}
TAKEN: Final = frozenset({"opened", "updated", "acknowledged", "resolved", "dropped"})


@dataclass(frozen=True, slots=True)
class Request:
    """One event as it arrived at PagerDuty. `is_answered` stays False while it is in the sender's hands."""

    key: str
    action: str
    outcome: str
    fault: str
    is_answered: bool

    @property
    def subject(self) -> tuple[str, str]:
        """What the witnesses know it by: dedup key and action."""
        return self.key, self.action

    @property
    def is_taken(self) -> bool:
        """Whether it took effect."""
        return self.outcome in TAKEN


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as PagerDuty shows it."""

    number: int
    key: str
    title: str
    service: str
    status: str


class Sandbox:
    """The stand-in for PagerDuty, over HTTP: its faults, its log, its incidents."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def fault(self, **fault: object) -> None:
        """Let something go wrong there."""
        self._http.post("/_sandbox/faults", json=fault).raise_for_status()

    def is_well(self) -> bool:
        """Whether no fault is set any more."""
        return not self._get("/_sandbox/faults")["faults"]

    def requests(self) -> list[Request]:
        """Every event that arrived, in order, but for those by which the health check, whose time may come, looks at keys."""
        entries = self._get("/_sandbox/log?since=0&body=0")["entries"]
        return [
            Request(one["dedup_key"], one["event_action"], one["outcome"], one["fault"], one["ended_at"] is not None)
            for one in entries
            if one["path"] == "/v2/enqueue" and one["dedup_key"] != NOTHING
        ]

    def incidents(self) -> list[Incident]:
        """Every incident, oldest first, with the dedup key of its alert."""
        return [self._incident(one) for one in self._get("/incidents?limit=100&date_range=all")["incidents"]]

    def _incident(self, raw: dict[str, Any]) -> Incident:
        [alert] = self._get(f"/incidents/{raw['id']}/alerts")["alerts"]
        return Incident(
            raw["incident_number"], alert["alert_key"], raw["title"], raw["service"]["summary"], raw["status"]
        )

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._http.get(path, headers=TOKEN)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body
