"""What PagerDuty's REST API says of an incident, as an observation."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from tasks.webhooks.events import MERGED, milliseconds_of
from tasks.webhooks.models import Observation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.utils.rest.client import RestClient

WITH_KEYS: Final = ("first_trigger_log_entries",)
"""What a list of incidents must include so that `keys_in` finds the dedup keys without a further call."""


def observation_of(
    incident: Mapping[str, Any], keys: Sequence[str] = (), source: Literal["webhook", "sync", "scan"] = "scan"
) -> Observation:
    """The observation in an incident as REST shows it, for these dedup keys (without any: those that can be seen in it)."""
    opened = _moment(incident["created_at"])
    changed_by = incident.get("last_status_change_by") or {}
    reason = incident.get("resolve_reason") or {}
    is_merged = reason.get("type") == MERGED
    return Observation(
        incident_id=incident["id"],
        keys=tuple(keys or keys_in(incident)),
        status=incident["status"],
        at=_moment(incident.get("last_status_change_at") or incident["created_at"]),
        number=incident.get("incident_number") or 0,
        opened_at=opened,
        html_url=incident.get("html_url") or "",
        who="" if incident["status"] == "triggered" else str(changed_by.get("summary") or "")[:200],
        service_id=(incident.get("service") or {}).get("id") or "",
        source=source,
        merged_into=(reason.get("incident") or {}).get("id", "") if is_merged else "",
    )


def keys_in(incident: Mapping[str, Any]) -> list[str]:
    """The dedup keys that can be told from the incident alone; there may be more where it has several alerts."""
    channel = (incident.get("first_trigger_log_entry") or {}).get("channel") or {}
    found = [incident.get("incident_key"), channel.get("incident_key")]
    return list(dict.fromkeys(key for key in found if isinstance(key, str) and key))


def all_keys(rest: RestClient, incident: Mapping[str, Any]) -> list[str]:
    """All its dedup keys; one more call (or several) where it has several alerts, or does not show its key."""
    keys = keys_in(incident)
    count = (incident.get("alert_counts") or {}).get("all")
    if keys and count is not None and count <= 1:
        return keys
    more = (alert.get("alert_key") for alert in rest.incidents.alerts(incident["id"]))
    return list(dict.fromkeys([*keys, *(key for key in more if isinstance(key, str) and key)]))


def _moment(text: str) -> int:
    return milliseconds_of(datetime.fromisoformat(text))
