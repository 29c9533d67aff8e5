"""What PagerDuty's REST API shows of incidents, as far as it says which of our alerts they are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tasks.incidents.grouped import milliseconds_of, read_story
from tasks.utils.identifiers import key_id as id_of_key
from tasks.utils.validators import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.incidents.grouped import Story
    from tasks.utils.rest.client import RestClient

OPEN: Final = ("triggered", "acknowledged")
ENTRY: Final = "first_trigger_log_entries"
PAGE: Final = 100
TRIGGER: Final = "trigger_log_entry"
LIMIT: Final = "reach_trigger_limit_log_entry"  # what follows PagerDuty does not log
MOST_MERGES: Final = 5


@dataclass(frozen=True)
class Sighting:
    """One alert of one incident. `key_id` is that of the integration's key; '' where PagerDuty does not say.

    Times are in milliseconds by PagerDuty's clock.
    """

    key: str
    key_id: str
    created: int
    summary: str = ""
    severity: str = ""
    details: Any = None


@dataclass(frozen=True)
class Incident:
    """One incident and its alerts. `merged`: those that were merged into it, on the way from the one that was asked for."""

    id: str
    number: int
    status: str
    created: int
    changed: int
    url: str
    service_id: str
    alerts: tuple[Sighting, ...] = field(default=())
    merged: tuple[Incident, ...] = field(default=())


class Reader:
    """Reads incidents, counting its calls. `rest_keys`: PagerDuty's id of a service we open incidents of over REST -> key id."""

    def __init__(self, rest: RestClient, rest_keys: Mapping[str, str]) -> None:
        self.calls = 0
        self._rest = rest
        self._rest_keys = rest_keys
        self._doors: dict[str, dict[str, str]] = {}

    def open(self) -> Iterator[list[Incident]]:
        """Every open incident, in the lists in which they come."""
        page: list[Incident] = []
        for item in self._rest.incidents.list(statuses=OPEN, date_range="all", include=[ENTRY]):
            page.append(self._incident(item))
            if len(page) == PAGE:
                self.calls += 1
                yield page
                page = []
        self.calls += 1
        yield page

    def of_key(self, key: str) -> list[Incident]:
        """The incidents there ever were with an alert of this key, the newest ones."""
        self.calls += 1
        found = self._rest.incidents.list(
            incident_key=key, date_range="all", sort_by="created_at:desc", include=[ENTRY]
        )
        return [self._incident(item) for _, item in zip(range(PAGE), found, strict=False)]

    def get(self, incident_id: str, key_id: str, key: str) -> Incident:
        """One incident that an alert of ours became, or the one it was merged into. NotFoundError where there is none."""
        merged: list[Incident] = []
        for _ in range(MOST_MERGES):
            self.calls += 1
            item = self._rest.incidents.get(incident_id)
            into = ((item.get("resolve_reason") or {}).get("incident") or {}).get("id")
            if not into or item["status"] != "resolved":
                break
            merged.append(_without_alerts(item))
            incident_id = into
        bare = _without_alerts(item)
        return replace(bare, alerts=(Sighting(key, key_id, bare.created),), merged=tuple(merged))

    def story(self, incident_id: str) -> Story:
        """What the messages of a group told, whose incident this is."""
        entries = list(self._rest.incidents.log_entries(incident_id, include=["channels"]))
        self.calls += 1 + len(entries) // PAGE
        told = [one for one in reversed(entries) if one.get("type") in (TRIGGER, LIMIT)]
        messages = [_details_of(one.get("channel") or {}) for one in told]
        return read_story(messages, is_whole=all(one["type"] == TRIGGER for one in told))

    def _incident(self, item: Mapping[str, Any]) -> Incident:
        bare = _without_alerts(item)
        return replace(bare, alerts=tuple(self._alerts(item, bare)))

    def _alerts(self, item: Mapping[str, Any], bare: Incident) -> Iterator[Sighting]:
        """Its alerts; where there is one, the entry that came along tells all."""
        channel = (item.get("first_trigger_log_entry") or {}).get("channel") or {}
        count = (item.get("alert_counts") or {}).get("all")
        if count == 0:
            if item.get("incident_key"):
                told = {"description": item.get("title")}
                yield _sighting(item["incident_key"], self._rest_keys.get(bare.service_id, ""), bare.created, told)
            return
        if count == 1 and channel.get("incident_key") and channel.get("service_key"):
            yield _sighting(channel["incident_key"], id_of_key(channel["service_key"]), bare.created, channel)
            return
        self.calls += 1
        statuses = None if bare.status == "resolved" else ["triggered"]
        for number, alert in enumerate(self._rest.incidents.alerts(bare.id, statuses=statuses, include=[ENTRY])):
            self.calls += number > 0 and number % PAGE == 0
            if alert.get("alert_key"):
                yield self._of_alert(alert, bare)

    def _of_alert(self, alert: Mapping[str, Any], bare: Incident) -> Sighting:
        channel = (alert.get("first_trigger_log_entry") or {}).get("channel") or {}
        told = {"description": alert.get("summary"), **(alert.get("body") or {}), "severity": alert.get("severity")}
        if channel.get("service_key"):
            key_id = id_of_key(channel["service_key"])
        else:
            integration = (alert.get("integration") or {}).get("id", "")
            key_id = self._key_ids((alert.get("service") or {}).get("id") or bare.service_id).get(integration, "")
        return _sighting(alert["alert_key"], key_id, milliseconds_of(alert.get("created_at")) or bare.created, told)

    def _key_ids(self, service_id: str) -> Mapping[str, str]:
        """The key ids of a PagerDuty service's integrations, by their ids."""
        if service_id not in self._doors:
            self.calls += 1
            service = self._rest.services.get(service_id, include=["integrations"])
            doors = service.get("integrations") or []
            self._doors[service_id] = {
                door["id"]: id_of_key(door["integration_key"]) for door in doors if door.get("integration_key")
            }
        return self._doors[service_id]


def _details_of(channel: Mapping[str, Any]) -> Any:
    return channel.get("details") or (channel.get("cef_details") or {}).get("details")


def _without_alerts(item: Mapping[str, Any]) -> Incident:
    created = milliseconds_of(item.get("created_at"))
    return Incident(
        id=item["id"],
        number=int(item.get("incident_number") or 0),
        status=item["status"],
        created=created,
        changed=milliseconds_of(item.get("last_status_change_at")) or created,
        url=item.get("html_url") or "",
        service_id=(item.get("service") or {}).get("id") or "",
    )


def _sighting(key: str, key_id: str, created: int, told: Mapping[str, Any]) -> Sighting:
    details = told.get("details")
    more = told.get("cef_details") or {}
    severity = told.get("severity") or more.get("severity")
    return Sighting(
        key=key,
        key_id=key_id,
        created=created,
        summary=str(told.get("description") or told.get("summary") or ""),
        severity=severity if severity in SEVERITIES else "critical",
        details=details,
    )
