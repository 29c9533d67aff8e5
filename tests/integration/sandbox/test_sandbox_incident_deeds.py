"""What people do to incidents besides acknowledging and resolving them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.sandbox.incident_kit import (
    ALICE,
    BOB,
    CAROL,
    DAY,
    OTHER_POLICY,
    WEB,
    Desk,
    account,
    assignees,
    reference,
)

if TYPE_CHECKING:
    from typing import Any

    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def desk(sandbox: SandboxProcess) -> Desk:
    sandbox.control("PUT", "/account", account())
    sandbox.control("POST", "/limits", {"events_per_minute": None, "rest_per_minute": None})
    return Desk(sandbox)


def sources(*names: str) -> dict[str, Any]:
    return {"source_incidents": [reference("incident", name) for name in names]}


def test_a_reassigned_incident_is_triggered_again_and_moves_up_no_more(desk: Desk) -> None:
    name = desk.trigger()["id"]
    desk.put(name, status="acknowledged")

    reassigned = desk.put(name, assignments=[{"assignee": reference("user", CAROL)}])
    desk.sandbox.advance(DAY)

    assert (assignees(reassigned), reassigned["status"]) == ([CAROL], "triggered")
    assert (reassigned["assigned_via"], reassigned["pending_actions"]) == ("direct_assignment", [])
    assert assignees(desk.show(name)) == [CAROL]


def test_an_incident_can_be_moved_to_a_level_of_its_policy(desk: Desk) -> None:
    name = desk.trigger()["id"]

    assert assignees(desk.put(name, escalation_level=3)) == [CAROL]
    assert desk.kinds(name)[-1] == "escalate"
    body = {"incident": {"type": "incident_reference", "escalation_level": 4}}
    assert desk.refused("PUT", f"/incidents/{name}", body)[0] == 2001


def test_another_policy_begins_at_its_first_level(desk: Desk) -> None:
    name = desk.trigger()["id"]

    delegated = desk.put(name, escalation_policy=reference("escalation_policy", OTHER_POLICY))

    assert (assignees(delegated), delegated["escalation_policy"]["id"]) == ([CAROL], OTHER_POLICY)
    assert desk.kinds(name) == ["trigger", "assign", "delegate"]


def test_title_urgency_priority_service_and_bridge_can_be_changed(desk: Desk) -> None:
    name = desk.trigger()["id"]
    bridge = {"conference_number": "", "conference_url": "https://meet.example.com/1"}

    changed = desk.put(
        name,
        title="worse than thought",
        urgency="low",
        priority=reference("priority", "PSANDBPR01"),
        service=reference("service", WEB),
        conference_bridge=bridge,
    )

    assert (changed["title"], changed["urgency"], changed["service"]["id"]) == ("worse than thought", "low", WEB)
    assert changed["priority"]["summary"] == "P1"
    assert desk.show(name, **{"include[]": "conference_bridge"})["conference_bridge"] == bridge
    assert desk.kinds(name).count("field_value_change") == 3
    assert "urgency_change" in desk.kinds(name)


def test_a_priority_can_be_taken_away(desk: Desk) -> None:
    name = desk.open(priority=reference("priority", "PSANDBPR01"))["id"]

    assert desk.put(name, priority="")["priority"] is None


def test_notes_are_kept_newest_first_and_bounded(desk: Desk) -> None:
    name = desk.trigger()["id"]
    for content in ("first", "second"):
        note = desk.ask("POST", f"/incidents/{name}/notes", {"note": {"content": content}})["note"]

    found = desk.ask("GET", f"/incidents/{name}/notes")["notes"]

    assert [one["content"] for one in found] == ["second", "first"]
    assert (note["user"]["id"], found[0]) == (ALICE, note)
    assert desk.refused("POST", f"/incidents/{name}/notes", {"note": {"content": ""}})[0] == 2001


def test_a_note_can_be_reworded_and_taken_away(desk: Desk) -> None:
    name = desk.trigger()["id"]
    note = desk.ask("POST", f"/incidents/{name}/notes", {"note": {"content": "first"}})["note"]
    path = f"/incidents/{name}/notes/{note['id']}"

    changed = desk.ask("PUT", path, {"note": {"content": "second"}})["note"]
    found = desk.ask("GET", f"/incidents/{name}/notes")["notes"]
    desk.ask("DELETE", path, status=204)

    assert (changed["content"], changed["updated_at"] >= note["created_at"]) == ("second", True)
    assert found == [changed]
    assert desk.ask("GET", f"/incidents/{name}/notes")["notes"] == []
    assert desk.refused("DELETE", path, status=404)[0] == 2100


def test_the_details_of_an_incident_opened_by_hand_can_be_reworded(desk: Desk) -> None:
    by_hand, by_event = (desk.entries(one["id"])[0]["id"] for one in (desk.open(), desk.trigger()))
    body = {"channel": {"type": "web_trigger", "details": "in other words"}}

    desk.ask("PUT", f"/log_entries/{by_hand}/channel", body, status=202)

    assert desk.ask("GET", f"/log_entries/{by_hand}")["log_entry"]["channel"]["details"] == "in other words"
    assert desk.refused("PUT", f"/log_entries/{by_event}/channel", body)[0] == 2001


def test_at_most_2000_notes_are_kept(desk: Desk) -> None:
    name = desk.trigger()["id"]
    for number in range(2000):
        answer = desk.sandbox.http.post(
            f"/incidents/{name}/notes", json={"note": {"content": str(number)}}, headers=desk.headers
        )
        assert answer.status_code == 200

    assert desk.refused("POST", f"/incidents/{name}/notes", {"note": {"content": "one more"}})[0] == 2001


def test_a_status_update_names_its_sender(desk: Desk) -> None:
    name = desk.trigger()["id"]

    update = desk.ask("POST", f"/incidents/{name}/status_updates", {"message": "on it", "subject": "db"})

    assert update["status_update"]["sender"]["id"] == ALICE
    assert update["status_update"]["subject"] == "db"
    assert desk.refused("POST", f"/incidents/{name}/status_updates", {"message": ""})[0] == 2001


def test_a_snoozed_incident_comes_back_when_its_time_is_over(desk: Desk) -> None:
    name = desk.trigger()["id"]

    snoozed = desk.ask("POST", f"/incidents/{name}/snooze", {"duration": 600}, status=201)["incident"]
    desk.sandbox.advance(599)
    before = desk.show(name)
    desk.sandbox.advance(2)
    after = desk.show(name)

    assert snoozed["status"] == before["status"] == "acknowledged"
    assert [one["type"] for one in snoozed["pending_actions"]] == ["unacknowledge"]
    assert (after["status"], assignees(after)) == ("triggered", [ALICE])
    assert desk.kinds(name) == ["trigger", "assign", "acknowledge", "snooze", "unacknowledge"]


def test_real_time_ends_a_snooze_too(desk: Desk) -> None:
    name = desk.trigger()["id"]
    desk.ask("POST", f"/incidents/{name}/snooze", {"duration": 1}, status=201)

    until = time.monotonic() + 10
    while desk.show(name)["status"] == "acknowledged":
        assert time.monotonic() < until, "it is still snoozed"

    assert desk.kinds(name)[-1] == "unacknowledge"


@pytest.mark.parametrize("duration", [0, -1, 604_801, "60", None, 1.5])
def test_nonsense_durations_are_refused(desk: Desk, duration: object) -> None:
    name = desk.trigger()["id"]

    assert desk.refused("POST", f"/incidents/{name}/snooze", {"duration": duration})[0] == 2001


def test_responders_are_asked_and_asked_no_more(desk: Desk) -> None:
    name = desk.trigger()["id"]
    targets = [{"type": "user_reference", "id": BOB}, {"type": "escalation_policy_reference", "id": OTHER_POLICY}]
    body = {"requester_id": ALICE, "message": "help", "responder_request_targets": targets}

    request = desk.ask("POST", f"/incidents/{name}/responder_requests", body)["responder_request"]
    shown = desk.show(name)
    del body["message"]
    cancelled = desk.ask("PUT", f"/incidents/{name}/responder_requests/cancel", body)

    asked = request["responder_request_targets"]
    assert [one["responder_request_target"]["id"] for one in asked] == [BOB, OTHER_POLICY]
    assert [one["user"]["id"] for one in shown["incidents_responders"]] == [BOB, CAROL]
    assert [one["result"] for one in cancelled["responder_request_targets"]] == ["cancelled", "cancelled"]
    assert {one["state"] for one in desk.show(name)["incidents_responders"]} == {"user_cancelled"}


def test_without_the_ability_responders_cannot_be_asked(desk: Desk) -> None:
    desk.sandbox.control("PUT", "/account", account(abilities=["teams"]))
    name = desk.trigger()["id"]
    body = {"requester_id": ALICE, "message": "help", "responder_request_targets": []}

    assert desk.refused("POST", f"/incidents/{name}/responder_requests", body, status=402)[0] == 2014


def test_a_merge_moves_the_alerts_and_resolves_the_sources_because_of_that(desk: Desk) -> None:
    target, first, second = (desk.trigger(key)["id"] for key in ("a", "b", "c"))

    answer = desk.ask("PUT", f"/incidents/{target}/merge", sources(first, second))

    assert answer["incident"]["id"] == target
    alerts = desk.sandbox.get(f"/incidents/{target}/alerts")["alerts"]
    assert [(one["alert_key"], one["status"]) for one in alerts] == [(key, "triggered") for key in ("a", "b", "c")]
    for source in (desk.show(first), desk.show(second)):
        assert source["status"] == "resolved"
        assert source["resolve_reason"]["type"] == "merge_resolve_reason"
        assert source["resolve_reason"]["incident"]["id"] == target
        assert source["alert_counts"]["all"] == 0
    (change,) = desk.entries(target, **{"include[]": "channels"})[-1]["channel"]["changeset"]["application_fields"]
    assert change["value"] == [first, second]


def test_a_merged_incident_ends_with_its_last_alert(desk: Desk) -> None:
    target, source = (desk.trigger(key)["id"] for key in ("a", "b"))
    desk.ask("PUT", f"/incidents/{target}/merge", sources(source))

    desk.sandbox.enqueue({"routing_key": "a" * 32, "event_action": "resolve", "dedup_key": "a"})
    still = desk.show(target)
    desk.sandbox.enqueue({"routing_key": "a" * 32, "event_action": "resolve", "dedup_key": "b"})

    assert (still["status"], still["alert_counts"]["triggered"]) == ("triggered", 1)
    assert desk.show(target)["status"] == "resolved"


def test_merges_that_cannot_be_are_refused(desk: Desk) -> None:
    target, source = (desk.trigger(key)["id"] for key in ("a", "b"))
    by_hand = desk.open()["id"]

    assert desk.refused("PUT", f"/incidents/{target}/merge", sources(by_hand))[0] == 2001
    assert desk.refused("PUT", f"/incidents/{target}/merge", sources("PNOBODY"), status=404)[0] == 2100
    assert desk.refused("PUT", f"/incidents/{target}/merge", {"source_incidents": []})[0] == 2001
    desk.put(target, status="resolved")
    assert desk.refused("PUT", f"/incidents/{target}/merge", sources(source))[0] == 2001


def test_no_incident_has_more_than_1000_alerts(desk: Desk) -> None:
    desk.sandbox.control("PUT", "/account", account({"alert_grouping_parameters": {"type": "time"}}))
    for number in range(1001):
        desk.sandbox.enqueue({**_event(number), "routing_key": "a" * 32})
    full, beyond = sorted(desk.sandbox.incidents(), key=lambda one: -one["alert_counts"]["all"])

    assert [one["alert_counts"]["all"] for one in (full, beyond)] == [1000, 1]
    assert desk.refused("PUT", f"/incidents/{full['id']}/merge", sources(beyond["id"]))[0] == 2001


def test_an_alert_can_be_moved_and_resolved_by_itself(desk: Desk) -> None:
    home, away = (desk.trigger(key)["id"] for key in ("a", "b"))
    (alert,) = desk.sandbox.get(f"/incidents/{away}/alerts")["alerts"]
    path = f"/incidents/{away}/alerts/{alert['id']}"

    moved = desk.ask("PUT", path, {"alert": {"type": "alert", "incident": reference("incident", home)}})["alert"]
    path = f"/incidents/{home}/alerts/{alert['id']}"
    resolved = desk.ask("PUT", path, {"alert": {"type": "alert", "status": "resolved"}})["alert"]

    assert (moved["incident"]["id"], resolved["status"]) == (home, "resolved")
    assert desk.ask("GET", path)["alert"] == resolved
    assert desk.show(home)["alert_counts"] == {"all": 2, "triggered": 1, "resolved": 1}
    assert desk.refused("GET", f"/incidents/{away}/alerts/{alert['id']}", status=404)[0] == 2100


def test_resolving_all_alerts_at_once_ends_the_incident(desk: Desk) -> None:
    target, source = (desk.trigger(key)["id"] for key in ("a", "b"))
    desk.ask("PUT", f"/incidents/{target}/merge", sources(source))
    alerts = desk.sandbox.get(f"/incidents/{target}/alerts")["alerts"]

    body = {"alerts": [{"id": one["id"], "type": "alert", "status": "resolved"} for one in alerts]}
    changed = desk.ask("PUT", f"/incidents/{target}/alerts", body)["alerts"]

    assert [one["status"] for one in changed] == ["resolved", "resolved"]
    assert desk.show(target)["status"] == "resolved"
    too_many = {"alerts": [body["alerts"][0]] * 251}
    assert desk.refused("PUT", f"/incidents/{target}/alerts", too_many, status=413)[0] == 2001


def _event(number: int) -> dict[str, Any]:
    payload = {"summary": "disk full", "source": "db-1", "severity": "critical"}
    return {"event_action": "trigger", "dedup_key": f"k{number}", "payload": payload}
