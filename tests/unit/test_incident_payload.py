"""What an alert becomes as an incident of the REST API."""

from __future__ import annotations

from typing import Any

from tasks.notifications.channels.incident import details, new_incident
from tasks.notifications.channels.protocol import Message

ALERT = {
    "event_action": "trigger",
    "dedup_key": "disk",
    "client": "Nagios",
    "client_url": "https://nagios.example/1",
    "links": [{"href": "https://runbook.example", "text": "runbook"}, {"text": "no address"}, "odd"],
    "payload": {
        "summary": "disk\n is  full",
        "source": "web1",
        "severity": "critical",
        "component": "nginx",
        "custom_details": {"free": "0 MB"},
    },
}


def incident(alert: dict[str, Any] | None = None, *, minimal: bool = False, **options: Any) -> dict[str, Any]:
    message = Message(
        alert or ALERT, "https://api.example", "key", minimal, options={"service_id": "PABC123", **options}
    )
    return new_incident(message)


def test_it_has_title_service_key_urgency_and_words() -> None:
    made = incident()

    assert made == {
        "type": "incident",
        "title": "disk is full",
        "service": {"id": "PABC123", "type": "service_reference"},
        "incident_key": "disk",
        "urgency": "high",
        "body": {"type": "incident_body", "details": details(ALERT)},
    }


def test_urgency_priority_and_policy_are_as_the_channel_says() -> None:
    made = incident(urgencies={"critical": "low"}, priorities={"critical": "P53ZZH5"}, escalation_policy="PQ4XXCU")

    assert made["urgency"] == "low"
    assert made["priority"] == {"id": "P53ZZH5", "type": "priority_reference"}
    assert made["escalation_policy"] == {"id": "PQ4XXCU", "type": "escalation_policy_reference"}
    assert "priority" not in incident(priorities={"info": "P53ZZH5"})


def test_in_minimal_form_it_is_a_short_title_and_what_must_be() -> None:
    long = {**ALERT, "payload": {"summary": "x" * 2000, "severity": "critical"}}

    made = incident(long, minimal=True, priorities={"critical": "P53ZZH5"})

    assert made.keys() == {"type", "title", "service", "incident_key"}
    assert len(made["title"]) == 255
    assert len(incident(long)["title"]) == 1024


def test_a_long_key_is_hashed_and_an_alert_without_words_is_called_by_its_key() -> None:
    made = incident({"event_action": "trigger", "dedup_key": "k" * 300})

    assert made["incident_key"].startswith("sha256:")
    assert made["title"] == "k" * 300


def test_details_are_text_for_people() -> None:
    assert details(ALERT).splitlines() == [
        "severity: critical",
        "source: web1",
        "component: nginx",
        "Nagios: https://nagios.example/1",
        "runbook: https://runbook.example",
        "",
        "{",
        '  "free": "0 MB"',
        "}",
    ]
    assert details({"payload": {}}) == "no details"
    assert len(details({"payload": {"custom_details": "x" * 50_000}})) == 20_000
    details({"payload": {"custom_details": "\ud800"}}).encode()
