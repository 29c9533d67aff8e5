"""A story as Markdown, ready for a post-mortem."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.formatters import for_markdown
from tasks.utils.rest.parameters import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tasks.incidents.story import Event, Story

MARKS: Final = {"log": "PagerDuty", "note": "note", "alert": "alert", "tocsin": "Tocsin"}


def as_markdown(story: Story, written_at: datetime) -> str:
    """The whole document; whatever came in with alerts and notes is text, never mark-up."""
    incident = story.incident
    title = incident.get("title") or incident.get("summary") or incident["id"]
    parts = [
        f"# Incident {_number(incident)}: {for_markdown(str(title))}",
        _table(("", ""), _facts(story)),
        "## Alerts\n\n" + _table(("Key", "Severity", "Status", "Raised", "Summary"), _alerts(story))
        if story.alerts
        else "",
        "## Notes\n\n" + "\n\n".join(_notes(story)) if story.notes else "",
        "## What happened\n\n" + _table(("Time (UTC)", "Since", "From", "Who", "What"), _events(story)),
        f"Written by Tocsin, {written_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(story: Story) -> Iterator[tuple[str, str]]:
    incident = story.incident
    said = {
        "Status": incident.get("status"),
        "Urgency": incident.get("urgency"),
        "Priority": _name(incident.get("priority")),
        "Service": _name(incident.get("service")),
        "Escalation policy": _name(incident.get("escalation_policy")),
        "Assigned to": ", ".join(_name(one.get("assignee")) for one in incident.get("assignments") or []),
        "In Tocsin": "; ".join(story.tocsin),
    }
    facts = {name: for_markdown(str(value or "")) for name, value in said.items()}
    facts |= {
        "Opened": _time(incident.get("created_at")),
        "Acknowledged": _reached(story, "acknowledge"),
        "Resolved": _resolved(incident),
    }
    for name, value in facts.items():
        if value:
            yield f"**{name}**", value
    url = str(incident.get("html_url") or "")
    if url.startswith(("https://", "http://")) and not set(url) & set(" <>|"):
        yield "**In PagerDuty**", f"<{url}>"


def _alerts(story: Story) -> Iterator[tuple[str, ...]]:
    for alert in story.alerts:
        key, severity, status, summary = (
            for_markdown(str(alert.get(name) or "")) for name in ("alert_key", "severity", "status", "summary")
        )
        yield key, severity, status, _time(alert.get("created_at")), summary


def _notes(story: Story) -> Iterator[str]:
    for note in story.notes:
        lines = [for_markdown(line) for line in str(note["content"]).splitlines()]
        quoted = "\n".join(f"> {line}".rstrip() for line in lines)
        yield f"**{for_markdown(_name(note.get('user')) or 'somebody')}**, {_time(note['created_at'])}:\n\n{quoted}"


def _events(story: Story) -> Iterator[tuple[str, ...]]:
    """A row each; a row with the date where a day begins."""
    opened = moment(story.incident["created_at"]) if story.incident.get("created_at") else None
    day = ""
    for event in story.timeline:
        at = event.at.astimezone(UTC)
        if f"{at:%Y-%m-%d}" != day:
            day = f"{at:%Y-%m-%d}"
            yield f"**{day}**", "", "", "", ""
        since = _span(event.at - opened) if opened and event.at >= opened else ""
        yield (
            f"{at:%H:%M:%S}",
            since,
            MARKS[event.source],
            for_markdown(_who(event)),
            for_markdown(" ".join(event.text.split())),
        )


def _who(event: Event) -> str:
    return "" if event.source in ("tocsin", "alert") else event.who


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(incident: dict[str, Any]) -> str:
    number = incident.get("incident_number")
    return f"\\#{number}" if number else str(incident["id"])


def _time(text: Any) -> str:
    return f"{moment(str(text)).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if text else ""


def _resolved(incident: dict[str, Any]) -> str:
    if not incident.get("resolved_at") or not incident.get("created_at"):
        return ""
    took = moment(incident["resolved_at"]) - moment(incident["created_at"])
    return f"{_time(incident['resolved_at'])}, after {_span(took)}"


def _reached(story: Story, word: str) -> str:
    """When it was first acknowledged, and after how long."""
    first = next((e for e in story.timeline if e.source == "log" and e.text.lower().startswith(word)), None)
    if first is None or not story.incident.get("created_at"):
        return ""
    by = f" by {for_markdown(first.who)}" if first.who else ""
    return f"{first.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{by}, after {_span(first.at - moment(story.incident['created_at']))}"


def _span(length: timedelta) -> str:
    """Such as `+1 h 5 min`; the two largest units."""
    seconds = max(0, round(length.total_seconds()))
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    first = next((index for index, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"


def _name(thing: Any) -> str:
    return str((thing or {}).get("summary") or "")
