"""Incidents over REST: opened, acknowledged, resolved, by one and by many, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.incident_kit import (
    ALICE,
    BOB,
    DB,
    OTHER_POLICY,
    POLICY,
    TEAM,
    WEB,
    Desk,
    account,
    assignees,
    reference,
)
from tests.integration.sandbox.kit import OTHER_KEY, event

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

PRIORITY = "PSANDBPR01"


@pytest.fixture
def desk(sandbox: SandboxProcess) -> Desk:
    sandbox.control("PUT", "/account", account())
    return Desk(sandbox)


def new(**fields: Any) -> dict[str, Any]:
    return {"incident": {"type": "incident", "title": "by hand", "service": reference("service", DB), **fields}}


def change(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "type": "incident_reference", **fields}


def test_an_incident_opened_by_hand_has_no_alert_and_calls_whom_the_policy_says(desk: Desk) -> None:
    incident = desk.open(body={"type": "incident_body", "details": "it burns"}, urgency="low")

    assert incident["alert_counts"] == {"all": 0, "triggered": 0, "resolved": 0}
    assert (incident["status"], incident["urgency"], assignees(incident)) == ("triggered", "low", [ALICE])
    assert incident["escalation_policy"]["summary"] == "All hands"
    assert [team["id"] for team in incident["teams"]] == [TEAM]
    (first, *_) = desk.entries(incident["id"], **{"include[]": "channels"})
    assert first["channel"]["details"] == "it burns"
    assert first["agent"]["id"] == ALICE


def test_an_incident_can_be_opened_for_users_or_another_policy(desk: Desk) -> None:
    for_bob = desk.open(assignments=[{"assignee": reference("user", BOB)}])
    elsewhere = desk.open(escalation_policy=reference("escalation_policy", OTHER_POLICY))

    assert (assignees(for_bob), for_bob["assigned_via"]) == ([BOB], "direct_assignment")
    assert elsewhere["escalation_policy"]["id"] == OTHER_POLICY


def test_a_priority_a_bridge_and_a_key_are_kept(desk: Desk) -> None:
    bridge = {"conference_number": "+1 555 0100", "conference_url": "https://meet.example.com/1"}
    made = desk.open(priority=reference("priority", PRIORITY), conference_bridge=bridge, incident_key="mine")

    shown = desk.show(made["id"], **{"include[]": ["conference_bridge", "priorities"]})

    assert (shown["priority"]["name"], shown["conference_bridge"], shown["incident_key"]) == ("P1", bridge, "mine")


def test_an_open_incident_of_the_same_key_and_service_stands_in_the_way(desk: Desk) -> None:
    made = desk.open(incident_key="mine")
    desk.open(incident_key="mine", service_id=WEB)

    words = ["Open incident with matching dedup key already exists on this service"]
    assert desk.refused("POST", "/incidents", new(incident_key="mine")) == (2002, words)
    desk.trigger("an alert's")
    assert desk.refused("POST", "/incidents", new(incident_key="an alert's")) == (2002, words)
    desk.put(made["id"], status="resolved")
    assert desk.open(incident_key="mine")["id"] != made["id"]


@pytest.mark.parametrize(
    "fields",
    [
        {"title": " "},
        {"title": None},
        {"service": reference("service", "PNOBODY")},
        {"service": None},
        {"urgency": "medium"},
        {"type": "problem"},
        {"priority": reference("priority", "PNOBODY")},
        {"assignments": []},
        {"assignments": [{"assignee": reference("user", "PNOBODY")}]},
        {
            "assignments": [{"assignee": reference("user", BOB)}],
            "escalation_policy": reference("escalation_policy", POLICY),
        },
    ],
)
def test_what_cannot_be_is_not_opened(desk: Desk, fields: dict[str, Any]) -> None:
    code, reasons = desk.refused("POST", "/incidents", new(**fields))

    assert code == 2001
    assert reasons
    assert desk.sandbox.incidents() == []


@pytest.mark.parametrize(("address", "code"), [("", 2001), ("nobody@example.com", 1008)])
def test_writing_needs_a_from_header_that_names_a_user(desk: Desk, address: str, code: int) -> None:
    desk.headers["From"] = address

    assert desk.refused("POST", "/incidents", new())[0] == code
    assert desk.refused("PUT", "/incidents", {"incidents": []})[0] == code


def test_an_account_that_lists_no_users_takes_any_address(sandbox: SandboxProcess) -> None:
    db = sandbox.control("GET", "/account")["services"][0]["id"]
    desk = Desk(sandbox)
    desk.headers["From"] = "anybody@example.com"

    incident = desk.open(service_id=db)

    assert incident["last_status_change_by"]["summary"] == "anybody@example.com"


def test_acknowledging_and_resolving_change_the_incident_and_its_alerts(desk: Desk) -> None:
    name = desk.trigger()["id"]

    acknowledged = desk.put(name, status="acknowledged")
    resolved = desk.put(name, status="resolved")

    assert [one["acknowledger"]["id"] for one in acknowledged["acknowledgements"]] == [ALICE]
    assert (resolved["status"], resolved["assignments"], resolved["acknowledgements"]) == ("resolved", [], [])
    assert resolved["alert_counts"] == {"all": 1, "triggered": 0, "resolved": 1}
    assert desk.kinds(name) == ["trigger", "assign", "acknowledge", "resolve"]


def test_a_trigger_after_a_resolve_by_hand_opens_another_incident(desk: Desk) -> None:
    first = desk.trigger()
    desk.put(first["id"], status="resolved")

    assert desk.trigger()["id"] != first["id"]


def test_a_resolve_event_after_a_resolve_by_hand_is_dropped(desk: Desk) -> None:
    desk.put(desk.trigger()["id"], status="resolved")

    assert desk.sandbox.enqueue(event("resolve")).status_code == 202
    assert desk.sandbox.last()["outcome"] == "dropped"


def test_what_is_resolved_cannot_be_acknowledged_resolved_or_given_away(desk: Desk) -> None:
    name = desk.trigger()["id"]
    desk.put(name, status="resolved")

    for fields in ({"status": "acknowledged"}, {"status": "resolved"}, {"escalation_level": 2}):
        assert desk.refused("PUT", f"/incidents/{name}", {"incident": change(name, **fields)})[0] == 1001


def test_whoever_has_acknowledged_cannot_again_and_others_can(desk: Desk) -> None:
    name = desk.trigger()["id"]
    desk.put(name, status="acknowledged")

    body = {"incident": change(name, status="acknowledged")}
    assert desk.refused("PUT", f"/incidents/{name}", body)[0] == 1002
    desk.headers["From"] = "bob@example.com"
    assert len(desk.put(name, status="acknowledged")["acknowledgements"]) == 2


def test_triggered_takes_an_acknowledgement_back_and_opens_what_is_resolved_again(desk: Desk) -> None:
    name = desk.trigger()["id"]
    desk.put(name, status="acknowledged")

    back = desk.put(name, status="triggered")
    desk.put(name, status="resolved")
    again = desk.put(name, status="triggered")

    assert (back["status"], back["acknowledgements"]) == ("triggered", [])
    assert (again["status"], again["resolved_at"], assignees(again)) == ("triggered", None, [ALICE])


def test_a_resolution_is_kept_as_a_note(desk: Desk) -> None:
    name = desk.trigger()["id"]

    desk.put(name, status="resolved", resolution="unplugged it")

    (note,) = desk.ask("GET", f"/incidents/{name}/notes")["notes"]
    assert note["content"] == "unplugged it"


def test_many_incidents_are_changed_in_one_call(desk: Desk) -> None:
    names = [desk.trigger(f"k{number}")["id"] for number in range(3)]

    answer = desk.ask("PUT", "/incidents", {"incidents": [change(name, status="acknowledged") for name in names]})

    assert [(one["id"], one["status"]) for one in answer["incidents"]] == [(name, "acknowledged") for name in names]


def test_one_refusal_in_a_bulk_call_leaves_all_as_they_were(desk: Desk) -> None:
    first, second = (desk.trigger(f"k{number}")["id"] for number in range(2))
    desk.put(second, status="resolved")

    body = {"incidents": [change(first, status="resolved"), change(second, status="resolved")]}

    assert desk.refused("PUT", "/incidents", body)[0] == 1001
    assert desk.show(first)["status"] == "triggered"


def test_at_most_250_incidents_are_changed_at_once(desk: Desk) -> None:
    desk.sandbox.control("POST", "/incidents", {"count": 251, "service": "db"})
    pages = [desk.sandbox.get("/incidents", limit=100, offset=offset)["incidents"] for offset in (0, 100, 200)]
    names = [one["id"] for page in pages for one in page]

    body = {"incidents": [change(name, status="resolved") for name in names]}

    assert desk.refused("PUT", "/incidents", body, status=413)[0] == 2001
    body["incidents"].pop()
    assert len(desk.ask("PUT", "/incidents", body)["incidents"]) == 250


@pytest.mark.parametrize("name", ["PNOBODY", "Q9999999999999"])
def test_unknown_incidents_are_not_found(desk: Desk, name: str) -> None:
    assert desk.refused("PUT", f"/incidents/{name}", {"incident": change(name)}, status=404) == (2100, [])
    assert desk.refused("PUT", "/incidents", {"incidents": [change(name)]}, status=404) == (2100, [])
    assert desk.refused("POST", f"/incidents/{name}/notes", {"note": {"content": "x"}}, status=404) == (2100, [])


def test_creation_can_be_throttled_without_touching_anything_else(desk: Desk) -> None:
    desk.sandbox.fault("throttle", path="/incidents", exact=True, method="POST", headers=True)
    name = desk.trigger()["id"]

    assert desk.refused("POST", "/incidents", new(), status=429)[0] == 2020
    assert desk.put(name, status="acknowledged")["status"] == "acknowledged"
    desk.ask("POST", f"/incidents/{name}/notes", {"note": {"content": "still here"}})


def test_alerts_of_two_services_may_share_a_key(desk: Desk) -> None:
    first, second = desk.trigger("same"), desk.trigger("same", key=OTHER_KEY)

    assert first["id"] != second["id"]
