"""Incidents and what became of actions, as tables and as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from workers.cli.alert_trail import span
from workers.cli.output import ExitCode, answer, answer_json, answer_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.incidents.models import ActionReport, Answer

_LIST = ("NUMBER", "ID", "STATUS", "URGENCY", "SERVICE", "AGE", "ASSIGNED", "TITLE")
_DONE = ("INCIDENT", "NUMBER", "OUTCOME", "NOTE", "WHY")
PAST = {
    "create": "created",
    "update": "updated",
    "acknowledge": "acknowledged",
    "resolve": "resolved",
    "merge": "merged",
    "snooze": "snoozed",
    "note": "noted",
    "reassign": "reassigned",
}


def show_incidents(found: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """One line for each."""
    if as_json:
        answer_json(found)
    elif found:
        answer_table(_LIST, [_line(incident) for incident in found])
    else:
        answer("no incident fits")


def show_report(report: ActionReport, *, as_json: bool) -> None:
    """What became of each; ends the program with the exit code that says it in short."""
    if as_json:
        answer_json(report.model_dump(mode="json"))
    else:
        answer_table(_DONE, [_outcome(report.verb, one) for one in report.answers])
        _say_rest(report)
    if report.is_passing:
        raise typer.Exit(ExitCode.TRY_LATER)
    if report.failed:
        all_failed = len(report.failed) == len(report.answers)
        raise typer.Exit(ExitCode.FAILED if all_failed else ExitCode.DEGRADED)
    if report.state == "open":
        raise typer.Exit(ExitCode.TRY_LATER)


def ago(text: str | None) -> str:
    """How long ago PagerDuty says something was."""
    if not text:
        return ""
    at = datetime.fromisoformat(text)
    seconds = (datetime.now(UTC) - (at if at.tzinfo else at.replace(tzinfo=UTC))).total_seconds()
    return span(max(0, round(seconds)) * 1000) if seconds >= 1 else "now"


def people(incident: dict[str, Any]) -> str:
    """Whom it is assigned to."""
    return ", ".join(str((one.get("assignee") or {}).get("summary", "?")) for one in incident.get("assignments") or [])


def name_of(thing: Any) -> str:
    """What a reference is called."""
    return str((thing or {}).get("summary") or (thing or {}).get("id") or "")


def _line(incident: dict[str, Any]) -> tuple[object, ...]:
    return (
        f"#{incident.get('incident_number', '?')}",
        incident["id"],
        incident.get("status", ""),
        incident.get("urgency", ""),
        name_of(incident.get("service")),
        ago(incident.get("created_at")),
        people(incident),
        incident.get("title") or incident.get("summary") or "",
    )


def _outcome(verb: str, one: Answer) -> tuple[object, ...]:
    told = {"done": PAST[verb], "already": f"{PAST[verb]} before"}.get(one.outcome, one.outcome)
    if one.outcome == "already" and one.why:
        told = "left alone"
    number = f"#{one.number}" if one.number else ""
    more = {"note": one.note, "status update": one.status_update}
    notes = ", ".join(state if name == "note" else f"{name} {state}" for name, state in more.items() if state)
    return one.id or one.target, number, told, notes, one.why


def _say_rest(report: ActionReport) -> None:
    if report.state == "open":
        say(f"{report.why}\nWorkers carry on; how it stands: tocsin incidents actions {report.request_id}")
    elif report.is_passing:
        say(f"{report.why or 'PagerDuty does not answer'}\nTry again, or let workers carry on: --keep-trying")
    elif len(report.answers) == 1 and report.answers[0].html_url:
        say(report.answers[0].html_url)
