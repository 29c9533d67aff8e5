"""One incident whole, its story for a post-mortem, and the record of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis

from workers.cli.incident_tables import PAST, ago, name_of, people
from workers.cli.output import CliError, answer, answer_fields, answer_json, answer_table, say

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.alerts.models import AlertView
    from tasks.audit.models import AlertTrail
    from tasks.incidents.models import ActionView
    from tasks.incidents.story import Event, Story
    from workers.cli.incident_wiring import Desk


def show_whole(desk: Desk, name: str, *, as_json: bool) -> None:
    """Print an incident, its alerts, notes and log, and the alerts of ours it stands for."""
    story, ours = _gathered(desk, name)
    if as_json:
        answer_json({**story.model_dump(mode="json"), "tocsin": [view.model_dump(mode="json") for view in ours]})
        return
    _show_head(story.incident)
    _show_section("ALERTS", ("KEY", "STATUS", "SEVERITY", "RAISED", "SUMMARY"), [_alert(one) for one in story.alerts])
    _show_section("IN TOCSIN", ("KEY", "SERVICE", "STATUS", "SUMMARY"), [_ours(view) for view in ours])
    _show_section("LOG", ("TIME", "FROM", "WHO", "WHAT"), _log(story))


def write_story(desk: Desk, name: str, kind: str, file: Path | None) -> None:
    """Write the story as Markdown or JSON, to a file or to stdout."""
    from datetime import UTC, datetime

    from tasks.incidents.story import with_ours
    from tasks.incidents.story_text import as_markdown

    story, ours = _gathered(desk, name)
    audit = desk.runtime.audit
    trails = [trail for view in ours for trail in audit.trails(view.dedup_key, [view.service])]
    story = with_ours(story, [f"{trail.dedup_key} of service {trail.service}" for trail in trails], _done(trails))
    text = as_markdown(story, datetime.now(UTC)) if kind == "md" else story.model_dump_json(indent=2) + "\n"
    if file is None:
        answer(text.rstrip("\n"))
        return
    file.write_text(text, "utf-8")
    say(f"written: {file}")


def show_actions(found: list[ActionView], *, as_json: bool) -> None:
    """Print actions, one line each."""
    if as_json:
        answer_json([view.model_dump(mode="json") for view in found])
    elif found:
        answer_table(
            ("REQUEST", "ASKED", "BY", "WHAT", "INCIDENTS", "STATE", "TRIES", "WHY"), [_action(view) for view in found]
        )
    else:
        answer("nobody asked for anything lately")


def show_action(view: ActionView | None, request_id: str, *, as_json: bool) -> None:
    """Print one action with an answer for each incident."""
    if view is None:
        raise CliError(f"Nothing is known of a request {request_id}; which there are: tocsin incidents actions")
    if as_json:
        answer_json(view.model_dump(mode="json"))
        return
    answer_fields({**view.model_dump(exclude={"answers"}), "tries": view.tries or ""})
    answer("")
    rows = [(one.target, one.id, one.outcome, one.note, one.why) for one in view.answers]
    answer_table(("INCIDENT", "ID", "OUTCOME", "NOTE", "WHY"), rows)


def _gathered(desk: Desk, name: str) -> tuple[Story, list[AlertView]]:
    from tasks.incidents.names import Names
    from tasks.incidents.story import Stories, keys_of

    incident = Names(desk.rest).whole(name)
    story = Stories(desk.rest).of(incident)
    return story, _known_here(desk, str(incident["id"]), keys_of(story.alerts))


def _done(trails: list[AlertTrail]) -> list[Event]:
    """What Tocsin did about these alerts."""
    from tasks.incidents.story import Event

    several = len(trails) > 1
    return [
        Event(
            at=step.at, source="tocsin", who="Tocsin", text=f"{trail.dedup_key}: {step.text}" if several else step.text
        )
        for trail in trails
        for step in trail.steps
    ]


def _known_here(desk: Desk, incident_id: str, keys: list[str]) -> list[AlertView]:
    from tasks.alerts.of_incidents import OurAlerts

    if desk.is_loose:
        return []
    runtime = desk.runtime
    try:
        return OurAlerts(runtime.client, runtime.keys, runtime.current).of(incident_id, keys)
    except redis.RedisError as error:
        say(f"what Tocsin knows of it cannot be read: {type(error).__name__}")
        return []


def _show_head(incident: dict[str, Any]) -> None:
    answer(f"#{incident.get('incident_number', '?')}  {incident.get('title') or incident.get('summary') or ''}")
    answer_fields(
        {
            "id": incident["id"],
            "status": incident.get("status"),
            "urgency": incident.get("urgency"),
            "priority": name_of(incident.get("priority")),
            "service": name_of(incident.get("service")),
            "policy": name_of(incident.get("escalation_policy")),
            "assigned": people(incident),
            "opened": f"{incident.get('created_at')} ({ago(incident.get('created_at'))} ago)",
            "resolved": incident.get("resolved_at"),
            "to come": ", ".join(f"{one['type']} at {one['at']}" for one in incident.get("pending_actions") or []),
            "page": incident.get("html_url"),
        }
    )


def _show_section(title: str, headers: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    if rows:
        answer(f"\n{title}")
        answer_table(headers, rows)


def _alert(alert: dict[str, Any]) -> tuple[object, ...]:
    raised = ago(alert.get("created_at"))
    return (
        alert.get("alert_key") or "",
        alert.get("status"),
        alert.get("severity") or "",
        raised,
        alert.get("summary") or "",
    )


def _ours(view: AlertView) -> tuple[object, ...]:
    return view.dedup_key, view.service, view.status, view.summary


def _log(story: Story) -> list[tuple[object, ...]]:
    return [
        (f"{event.at.astimezone():%m-%d %H:%M:%S}", event.source, event.who, " ".join(event.text.split()))
        for event in story.timeline
    ]


def _action(view: ActionView) -> tuple[object, ...]:
    counts: dict[str, int] = {}
    for one in view.answers:
        word = PAST[view.verb] if one.outcome == "done" else one.outcome
        counts[word] = counts.get(word, 0) + 1
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    why = view.why or next((one.why for one in view.answers if one.outcome == "failed"), "")
    asked = f"{view.asked_at.astimezone():%m-%d %H:%M:%S}"
    return view.request_id, asked, view.author, view.verb, told, view.state, view.tries or "", why
