"""The story of one incident: what PagerDuty's log, its notes and alerts tell, and what Tocsin did, in the order of time."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, Field

from tasks.utils.rest.parameters import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tasks.utils.rest.client import RestClient

NOTES_OWN: Final = "annotate_log_entry"  # the log's word for a note, which is told as such


class Event(BaseModel):
    """One thing that happened."""

    at: datetime
    source: Literal["log", "note", "alert", "tocsin"]
    who: str = ""
    text: str


class Story(BaseModel):
    """One incident whole."""

    incident: dict[str, Any] = Field(description="As PagerDuty has it.")
    alerts: list[dict[str, Any]] = Field(default_factory=list)
    notes: list[dict[str, Any]] = Field(default_factory=list, description="Oldest first.")
    tocsin: list[str] = Field(default_factory=list, description="Alerts of ours it stands for, `KEY of service NAME`.")
    timeline: list[Event] = Field(default_factory=list, description="Oldest first.")


class Stories:
    """Gathers stories."""

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    def of(self, incident: Mapping[str, Any]) -> Story:
        """What PagerDuty tells of an incident."""
        incident_id = str(incident["id"])
        alerts = list(self._rest.incidents.alerts(incident_id))
        notes = sorted(self._rest.incidents.notes(incident_id), key=lambda note: moment(note["created_at"]))
        entries = [*self._rest.incidents.log_entries(incident_id, include=["channels"])][::-1]  # they come newest first
        events = [*_logged(entries), *_noted(notes), *_raised(alerts)]
        return Story(incident=dict(incident), alerts=alerts, notes=notes, timeline=in_order(events))


def with_ours(story: Story, ours: Sequence[str], done: Sequence[Event]) -> Story:
    """The story with the alerts of ours it is about, and what Tocsin did."""
    return story.model_copy(update={"tocsin": list(ours), "timeline": in_order([*story.timeline, *done])})


def in_order(events: Sequence[Event]) -> list[Event]:
    """By time; of what happened at the same moment, PagerDuty's own log first."""
    rank = {"log": 0, "alert": 1, "note": 2, "tocsin": 3}
    return sorted(events, key=lambda event: (event.at, rank[event.source]))


def keys_of(alerts: Sequence[Mapping[str, Any]]) -> list[str]:
    """The dedup keys of an incident's alerts, as PagerDuty has them."""
    return list(dict.fromkeys(str(alert["alert_key"]) for alert in alerts if alert.get("alert_key")))


def _logged(entries: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
    for entry in entries:
        if entry.get("type") == NOTES_OWN:
            continue
        text = str(entry.get("summary") or str(entry.get("type", "")).removesuffix("_log_entry").replace("_", " "))
        note = entry.get("note") or (entry.get("channel") or {}).get("note")
        yield Event(
            at=moment(entry["created_at"]),
            source="log",
            who=_name(entry.get("agent")),
            text=f"{text}: {note}" if note else text,
        )


def _noted(notes: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
    for note in notes:
        yield Event(
            at=moment(note["created_at"]), source="note", who=_name(note.get("user")), text=str(note["content"])
        )


def _raised(alerts: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
    for alert in alerts:
        severity = f" ({alert['severity']})" if alert.get("severity") else ""
        text = f"alert{severity}: {alert.get('summary') or alert.get('alert_key') or alert['id']}"
        yield Event(at=moment(alert["created_at"]), source="alert", who=_name(alert.get("service")), text=text)


def _name(thing: Any) -> str:
    return str((thing or {}).get("summary") or "")
