"""Whether three witnesses and the proof say the same; pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.local.demo.alert import Accepted
from deploy.local.demo.ledger import Event
from deploy.local.demo.sandbox import Incident, Request


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the witnesses say.

    `accepted` is the senders' list, `in_flight` the dedup keys of alerts whose worker was killed in mid-delivery (one
    more request each is right), `proof` what `tocsin prove --json` answered.
    """

    accepted: Sequence[Accepted]
    events: Sequence[Event]
    requests: Sequence[Request]
    incidents: Sequence[Incident]
    proof: dict[str, Any]
    in_flight: Sequence[str] = field(default=())


def disagreements(evidence: Evidence) -> list[str]:
    """Everything that does not fit together, a sentence each; empty when all is well."""
    return [
        *_senders_and_ledger(evidence),
        *_ledger_and_sandbox(evidence),
        *_ledger_and_incidents(evidence),
        *_ledger_and_proof(evidence),
    ]


def _senders_and_ledger(evidence: Evidence) -> Iterator[str]:
    expected: Counter[tuple[str, str, str]] = Counter((*one.subject, one.fate) for one in evidence.accepted)
    found: Counter[tuple[str, str, str]] = Counter((*one.subject, one.fate) for one in evidence.events)
    for key, action, fate in sorted(expected.keys() | found.keys()):
        wanted, has = expected[key, action, fate], found[key, action, fate]
        if wanted != has:
            yield f"{action} {key}: by the senders' list {wanted} should be {fate}; the ledger has {has}"


def _ledger_and_sandbox(evidence: Evidence) -> Iterator[str]:
    delivered = Counter(event.subject for event in evidence.events if event.fate == "delivered")
    arrived = Counter(request.subject for request in evidence.requests if request.is_taken)
    spare = Counter((key, "trigger") for key in evidence.in_flight)
    for subject in sorted(delivered.keys() | arrived.keys()):
        least, most, has = delivered[subject], delivered[subject] + spare[subject], arrived[subject]
        if not least <= has <= most:
            key, action = subject
            yield f"{action} {key}: by the ledger {least} were delivered; the sandbox took {has}"


def _ledger_and_incidents(evidence: Evidence) -> Iterator[str]:
    paged = {event.key for event in evidence.events if event.fate == "delivered" and event.action == "trigger"}
    over = {event.key for event in evidence.events if event.fate == "delivered" and event.action == "resolve"}
    count = Counter(incident.key for incident in evidence.incidents)
    for key in sorted(paged | count.keys()):
        if count[key] != (key in paged):
            yield f"{key}: {count[key]} incidents; by the ledger there should be {int(key in paged)}"
    for incident in evidence.incidents:
        if (incident.status == "resolved") != (incident.key in over):
            yield f"{incident.key}: its incident is {incident.status}, although {_news(incident.key in over)}"


def _ledger_and_proof(evidence: Evidence) -> Iterator[str]:
    proof = evidence.proof
    if not proof.get("holds"):
        yield "tocsin prove says that the promise is broken"
    found = Counter(event.fate for event in evidence.events)
    proved = {
        "delivered": proof.get("delivered", 0),
        "merged": proof.get("merged", 0),
        "suppressed": sum(proof.get("suppressed", {}).values()),
        "dead": sum(proof.get("dead", {}).values()),
        "pending": proof.get("pending", {}).get("count", 0),
    }
    for fate, count in proved.items():
        if count != found[fate]:
            yield f"tocsin prove counts {count} {fate}, the ledger itself {found[fate]}"


def _news(is_over: bool) -> str:  # noqa: FBT001 (one word or the other)
    return "its resolve was delivered" if is_over else "no resolve was delivered"
