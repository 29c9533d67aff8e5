"""How the story ends: a table per alert, the incidents, the proof, the verdict."""

import json
import subprocess
from collections.abc import Iterator

from deploy.local.demo.alert import Accepted
from deploy.local.demo.judge import Evidence, disagreements
from deploy.local.demo.ledger import Event
from deploy.local.demo.sandbox import Incident
from deploy.local.demo.senders import tocsin
from deploy.local.demo.stage import Stage
from deploy.local.demo.table import show, show_table
from deploy.local.demo.words import span, why

EVENT_COLUMNS = ("ALERT", "THROUGH", "NEWS", "OUTCOME", "WHY", "TOOK")
INCIDENT_COLUMNS = ("#", "STATUS", "TITLE", "SERVICE")


def end(stage: Stage) -> bool:
    """Show what became of everything and prove it; whether all agree."""
    events, incidents = stage.ledger.events, stage.sandbox.incidents()
    show_table("What became of every alert", EVENT_COLUMNS, list(_event_rows(events, stage.accepted)))
    show_table("The incidents as PagerDuty has them", INCIDENT_COLUMNS, [_incident_row(one) for one in incidents])
    _show_proof(tocsin(stage.shell.environment, "prove"))
    proof = _parsed(tocsin(stage.shell.environment, "prove", "--json"))
    return show_verdict(
        Evidence(stage.accepted, events, stage.sandbox.requests(), incidents, proof, stage.in_flight),
    )


def _event_rows(events: list[Event], accepted: list[Accepted]) -> Iterator[tuple[str, ...]]:
    """A row for each event; those that differ in nothing but the time they took share one."""
    senders = {one.subject: one for one in accepted}
    rows: dict[tuple[str, ...], list[float]] = {}
    for event in events:
        known = senders.get(event.subject)
        name, door = (known.alert.name, known.door) if known else (event.key or event.id, "unknown")
        rows.setdefault((name, door, event.action, event.fate, why(event)), []).append(event.took)
    for (name, *rest), times in rows.items():
        yield (f"{name} x {len(times)}" if len(times) > 1 else name, *rest, span(max(times)))


def _incident_row(incident: Incident) -> tuple[str, ...]:
    return str(incident.number), incident.status, incident.title, incident.service


def _show_proof(proof: subprocess.CompletedProcess[str]) -> None:
    show("\n$ tocsin prove\n", "bold")
    for line in (*proof.stdout.splitlines(), *proof.stderr.splitlines()):
        show(f"  {line}")


def _parsed(proof: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """The report; one that cannot be read holds nothing."""
    try:
        report = json.loads(proof.stdout)
    except ValueError:
        return {}
    return report if isinstance(report, dict) else {}


def show_verdict(evidence: Evidence) -> bool:
    """Say whether all agree, or what does not fit."""
    if wrong := disagreements(evidence):
        show("\nThe witnesses do not agree:", "bold red")
        for line in wrong:
            show(f"  {line}", "red")
        return False
    taken = sum(request.is_taken for request in evidence.requests)
    repeats = taken - sum(event.fate == "delivered" for event in evidence.events)
    show(
        f"\nThree witnesses agree: the senders' list ({len(evidence.accepted)} alerts accepted), the ledger "
        f"({len(evidence.events)} stories,\nall ended) and PagerDuty's log ({taken} requests taken, "
        f"{repeats} a repeat after the kill). Nothing was lost.",
        "bold green",
    )
    return True
