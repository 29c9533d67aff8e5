"""The demo's verdict: three witnesses and the proof, honest and tampered with."""

from dataclasses import replace

import pytest

from deploy.local.demo.alert import Accepted, Alert
from deploy.local.demo.ending import show_verdict
from deploy.local.demo.judge import Evidence, disagreements
from deploy.local.demo.ledger import Event, Step
from deploy.local.demo.sandbox import Incident, Request

DISK = Alert("disk", "shop", "The disk is full")
TYPO = Alert("typo", "shoop", "A misspelt service")


def event(number, alert, *ends):
    steps = [Step(1000, "accepted", alert.action, alert.service)]
    steps += [Step(1020, *end) for end in ends]
    return Event(str(number), alert.name, alert.action, alert.service, steps)


def request(alert, outcome):
    return Request(alert.name, alert.action, outcome, "", is_answered=True)


SENT = (("attempt", "primary", "1"), ("sent", "primary", "1"))
HONEST = Evidence(
    accepted=[
        Accepted(DISK, "disk", "HTTP", "delivered"),
        Accepted(DISK, "disk", "HTTP", "merged"),
        Accepted(DISK.resolve(), "disk", "HTTP", "delivered"),
        Accepted(TYPO, "typo", "Celery", "dead"),
    ],
    events=[
        event(1, DISK, *SENT),
        event(2, DISK, ("merged", "duplicate", "1")),
        event(3, DISK.resolve(), *SENT),
        event(4, TYPO, ("dead", "unknown_service", "")),
    ],
    requests=[request(DISK, "failed"), request(DISK, "opened"), request(DISK.resolve(), "resolved")],
    incidents=[Incident(1, "disk", "The disk is full", "shop", "resolved")],
    proof={
        "holds": True,
        "delivered": 2,
        "merged": 1,
        "suppressed": {},
        "dead": {"unknown_service": 1},
        "pending": {"count": 0},
    },
)


def tampered(**changes):
    return disagreements(replace(HONEST, **changes))


def test_witnesses_who_say_the_same_leave_nothing_to_complain_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert disagreements(HONEST) == []
    assert show_verdict(HONEST)
    assert "Three witnesses agree: the senders' list (4 alerts accepted)" in capsys.readouterr().out


def test_a_proof_that_fails_fails_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert not show_verdict(replace(HONEST, proof=HONEST.proof | {"holds": False}))
    assert "tocsin prove says that the promise is broken" in capsys.readouterr().out


def test_a_proof_that_could_not_be_read_fails_the_demo() -> None:
    assert "tocsin prove says that the promise is broken" in tampered(proof={})


def test_an_alert_the_ledger_does_not_know_is_named() -> None:
    assert tampered(events=HONEST.events[1:])[0] == (
        "trigger disk: by the senders' list 1 should be delivered; the ledger has 0"
    )


def test_an_event_nobody_sent_is_named() -> None:
    stranger = event(5, Alert("ghost", "shop"), ("suppressed", "resolved_before_send", ""))

    assert tampered(events=[*HONEST.events, stranger])[0] == (
        "trigger ghost: by the senders' list 0 should be suppressed; the ledger has 1"
    )


def test_an_alert_whose_story_has_not_ended_is_named() -> None:
    waiting = event(1, DISK, ("attempt", "primary", "1"), ("retry", "http:503", "primary"))

    assert "trigger disk: by the senders' list 0 should be pending; the ledger has 1" in tampered(
        events=[waiting, *HONEST.events[1:]]
    )


def test_a_delivery_the_sandbox_never_took_is_named() -> None:
    assert tampered(requests=[request(DISK, "failed"), *HONEST.requests[2:]]) == [
        "trigger disk: by the ledger 1 were delivered; the sandbox took 0"
    ]


def test_a_page_too_many_is_named_unless_its_worker_was_killed_in_mid_delivery() -> None:
    twice = [*HONEST.requests, request(DISK, "updated")]

    assert tampered(requests=twice) == ["trigger disk: by the ledger 1 were delivered; the sandbox took 2"]
    assert tampered(requests=twice, in_flight=["disk"]) == []


def test_an_incident_left_open_after_its_resolve_is_named() -> None:
    assert tampered(incidents=[replace(HONEST.incidents[0], status="triggered")]) == [
        "disk: its incident is triggered, although its resolve was delivered"
    ]


def test_a_second_incident_for_one_alert_is_named() -> None:
    assert "disk: 2 incidents; by the ledger there should be 1" in tampered(incidents=HONEST.incidents * 2)
    assert "disk: 0 incidents; by the ledger there should be 1" in tampered(incidents=[])


def test_a_proof_that_counts_otherwise_is_named() -> None:
    assert tampered(proof=HONEST.proof | {"merged": 0}) == ["tocsin prove counts 0 merged, the ledger itself 1"]
