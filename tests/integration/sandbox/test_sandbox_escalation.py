"""Policies and time-outs move incidents by the sandbox's clock, in the right order and at the right times."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.incident_kit import (
    ALICE,
    BOB,
    CAROL,
    DAY,
    HOUR,
    MINUTE,
    Desk,
    account,
    assignees,
    reference,
)
from tests.integration.sandbox.kit import event

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def desk(sandbox: SandboxProcess) -> Desk:
    sandbox.control("PUT", "/account", account())
    return Desk(sandbox)


def story(desk: Desk, name: str) -> list[tuple[str, int]]:
    """The incident's log: what happened, and how many minutes after it began."""
    entries = [one for one in desk.entries(name) if one["type"] != "notify_log_entry"]
    began = _at(entries[0])
    return [(one["type"].removesuffix("_log_entry"), round((_at(one) - began) / 60)) for one in entries]


def _at(entry: dict[str, Any]) -> float:
    return datetime.fromisoformat(entry["created_at"]).timestamp()


def test_an_incident_moves_up_level_by_level_while_nobody_answers(desk: Desk) -> None:
    name = desk.trigger()["id"]
    seen = [assignees(desk.show(name))]
    for minutes in (10, 20):
        desk.sandbox.advance(minutes * MINUTE)
        seen.append(assignees(desk.show(name)))

    assert seen == [[ALICE], [BOB], [CAROL]]


def test_a_day_at_once_runs_everything_on_the_way_at_its_own_time(desk: Desk) -> None:
    name = desk.trigger()["id"]

    desk.sandbox.advance(DAY)

    assert story(desk, name) == [
        ("trigger", 0),
        ("assign", 0),
        ("escalate", 10),
        ("escalate", 30),
        ("repeat_escalation_path", 60),
        ("escalate", 60),
        ("escalate", 70),
        ("escalate", 90),
        ("exhaust_escalation_path", 120),
    ]
    assert assignees(desk.show(name)) == [CAROL]


def test_an_acknowledged_incident_stays_where_it_is(desk: Desk) -> None:
    name = desk.trigger()["id"]
    desk.sandbox.advance(10 * MINUTE)
    desk.put(name, status="acknowledged")

    desk.sandbox.advance(DAY)

    assert (assignees(desk.show(name)), desk.show(name)["status"]) == ([BOB], "acknowledged")


def test_the_acknowledgement_time_puts_it_back_and_it_moves_on_from_there(desk: Desk) -> None:
    desk.sandbox.control("PUT", "/account", account({"acknowledgement_timeout": 1800}))
    name = desk.trigger()["id"]
    desk.sandbox.advance(10 * MINUTE)
    acknowledged = desk.put(name, status="acknowledged")

    desk.sandbox.advance(HOUR)

    assert [one["type"] for one in acknowledged["pending_actions"]] == ["unacknowledge"]
    assert story(desk, name)[3:] == [("acknowledge", 10), ("unacknowledge", 40), ("escalate", 60)]
    assert assignees(desk.show(name)) == [CAROL]


def test_the_auto_resolve_time_ends_it_whatever_its_status(desk: Desk) -> None:
    desk.sandbox.control("PUT", "/account", account({"auto_resolve_timeout": 4 * HOUR}))
    first, second = desk.trigger("a")["id"], desk.trigger("b")["id"]
    desk.put(second, status="acknowledged")

    desk.sandbox.advance(DAY)

    assert [desk.show(name)["status"] for name in (first, second)] == ["resolved", "resolved"]
    assert story(desk, first)[-1] == story(desk, second)[-1] == ("resolve", 240)
    assert desk.trigger("a")["id"] != first


def test_an_acknowledge_event_stops_it_from_moving_up_too(desk: Desk) -> None:
    name = desk.trigger()["id"]
    desk.sandbox.enqueue(event("acknowledge"))

    desk.sandbox.advance(DAY)

    assert assignees(desk.show(name)) == [ALICE]


def test_incidents_of_low_urgency_do_not_move_up(desk: Desk) -> None:
    rule = {"type": "constant", "urgency": "severity_based"}
    desk.sandbox.control("PUT", "/account", account({"incident_urgency_rule": rule}))
    low, high = desk.trigger("low", severity="warning"), desk.trigger("high", severity="error")

    desk.sandbox.advance(10 * MINUTE)

    assert (low["urgency"], high["urgency"]) == ("low", "high")
    assert [assignees(desk.show(one["id"])) for one in (low, high)] == [[ALICE], [BOB]]


def test_raising_the_urgency_sets_it_moving(desk: Desk) -> None:
    desk.sandbox.control("PUT", "/account", account({"incident_urgency_rule": {"type": "constant", "urgency": "low"}}))
    name = desk.trigger()["id"]
    desk.put(name, urgency="high")

    desk.sandbox.advance(10 * MINUTE)

    assert assignees(desk.show(name)) == [BOB]


def test_support_hours_decide_the_urgency(desk: Desk) -> None:
    hours = {
        "type": "fixed_time_per_day",
        "time_zone": "UTC",
        "days_of_week": [1, 2, 3, 4, 5, 6, 7],
        "start_time": "00:00:00",
        "end_time": "00:00:01",
    }
    rule = {
        "type": "use_support_hours",
        "during_support_hours": {"type": "constant", "urgency": "high"},
        "outside_support_hours": {"type": "constant", "urgency": "low"},
    }
    desk.sandbox.control("PUT", "/account", account({"incident_urgency_rule": rule, "support_hours": hours}))

    assert desk.trigger()["urgency"] == "low"


def test_the_policy_may_change_while_an_incident_is_open(desk: Desk) -> None:
    name = desk.trigger()["id"]
    policy = desk.ask("GET", "/escalation_policies/PPOLICY")["escalation_policy"]
    rules = [{"escalation_delay_in_minutes": 5, "targets": [reference("user", target)]} for target in (ALICE, CAROL)]
    desk.ask("PUT", "/escalation_policies/PPOLICY", {"escalation_policy": {**policy, "escalation_rules": rules}})

    desk.sandbox.advance(10 * MINUTE)

    assert assignees(desk.show(name)) == [CAROL]


def test_a_schedule_decides_who_is_called_at_the_time(desk: Desk) -> None:
    layer = {
        "name": "days",
        "start": "2026-01-01T00:00:00Z",
        "rotation_virtual_start": "2026-01-01T00:00:00Z",
        "rotation_turn_length_seconds": DAY,
        "users": [{"user": reference("user", BOB)}, {"user": reference("user", CAROL)}],
    }
    schedule = {"id": "PSCHED1", "name": "days", "time_zone": "UTC", "schedule_layers": [layer]}
    given = account(schedules=[schedule])
    given["escalation_policies"][0]["escalation_rules"][0]["targets"] = [reference("schedule", "PSCHED1")]
    desk.sandbox.control("PUT", "/account", given)

    today = assignees(desk.trigger("today"))
    desk.sandbox.advance(DAY)
    tomorrow = assignees(desk.trigger("tomorrow"))

    assert sorted([*today, *tomorrow]) == sorted([BOB, CAROL])


def test_a_level_with_nobody_on_call_is_passed_over(desk: Desk) -> None:
    layer = {
        "name": "long over",
        "start": "2020-01-01T00:00:00Z",
        "end": "2020-01-02T00:00:00Z",
        "rotation_virtual_start": "2020-01-01T00:00:00Z",
        "rotation_turn_length_seconds": DAY,
        "users": [{"user": reference("user", CAROL)}],
    }
    schedule = {"id": "PSCHED1", "name": "over", "time_zone": "UTC", "schedule_layers": [layer]}
    given = account(schedules=[schedule])
    given["escalation_policies"][0]["escalation_rules"][0]["targets"] = [reference("schedule", "PSCHED1")]
    desk.sandbox.control("PUT", "/account", given)

    name = desk.trigger()["id"]
    first = assignees(desk.show(name))
    desk.sandbox.advance(20 * MINUTE)

    assert (first, assignees(desk.show(name))) == ([BOB], [CAROL])


def test_everybody_assigned_is_called_and_the_calls_are_listed(desk: Desk) -> None:
    desk.trigger()
    desk.sandbox.advance(10 * MINUTE)

    found = desk.sandbox.get("/notifications", since="2020-01-01", until="2020-01-02")["notifications"]
    now = datetime.fromtimestamp(desk.sandbox.control("GET", "/clock")["now"]).astimezone()
    today = desk.sandbox.get("/notifications", since=_day(now, -1), until=_day(now, 1))["notifications"]

    assert found == []
    assert [one["user"]["id"] for one in today] == [ALICE, BOB]
    assert today[0]["address"] == "alice@example.com"


def _day(now: datetime, days: int) -> str:
    return datetime.fromtimestamp(now.timestamp() + days * DAY, now.tzinfo).isoformat()
