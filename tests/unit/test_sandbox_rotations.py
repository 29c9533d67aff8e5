"""Who is on call in the sandbox's schedules of rotations (v3), and on the levels of its escalation policies."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deploy.sandbox.names import reference
from deploy.sandbox.oncall import entries, on_call
from deploy.sandbox.rotations import rotation_shifts
from deploy.sandbox.shifts import Shift, Span
from deploy.sandbox.store import Store

HOUR = 3600
DAY = 24 * HOUR
BERLIN = "Europe/Berlin"


def at(written: str, zone: str = BERLIN) -> float:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone)).timestamp()


def member(user: str) -> dict[str, str]:
    return {"type": "user_member", "user_id": user} if user else {"type": "empty_member"}


def event(rule: str, *users: str, zone: str = BERLIN, hours: str = "09:00-17:00", **more: Any) -> dict[str, Any]:
    start, end = (f"2026-01-05T{hour}:00" for hour in hours.split("-"))
    strategy = {
        "type": "rotating_member_assignment_strategy",
        "shifts_per_member": 1,
        "members": [member(user) for user in users],
    }
    return {
        "id": "PEVENT1",
        "start_time": {
            "date_time": datetime.fromtimestamp(at(start, zone), ZoneInfo(zone)).isoformat(),
            "time_zone": zone,
        },
        "end_time": {"date_time": datetime.fromtimestamp(at(end, zone), ZoneInfo(zone)).isoformat(), "time_zone": zone},
        "effective_since": "2026-01-01T00:00:00Z",
        "effective_until": None,
        "recurrence": [rule],
        "assignment_strategy": strategy,
        **more,
    }


def schedule(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "PV3", "time_zone": BERLIN, "rotations": [{"id": "PROT1", "events": list(events)}], **more}


def told(shifts: list[Shift], zone: str = BERLIN) -> list[tuple[str, str, str]]:
    return [
        (
            one.user,
            datetime.fromtimestamp(one.start, ZoneInfo(zone)).strftime("%m-%d %H:%M"),
            datetime.fromtimestamp(one.end, ZoneInfo(zone)).strftime("%H:%M"),
        )
        for one in shifts
    ]


@pytest.mark.parametrize("zone", ["America/New_York", BERLIN, "Australia/Lord_Howe"])
def test_weekdays_at_nine_stay_at_nine_all_year(zone: str) -> None:
    weekdays = event("RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "ann", "bob", zone=zone)

    shifts = rotation_shifts(schedule(weekdays), Span(at("2026-01-05T00:00", zone), at("2027-01-04T00:00", zone)))

    assert len(shifts) == 260
    assert {(start[-5:], end) for _, start, end in told(shifts, zone)} == {("09:00", "17:00")}
    assert [one.user for one in shifts[:4]] == ["ann", "bob", "ann", "bob"]


def test_a_member_keeps_as_many_shifts_as_the_strategy_says_and_an_empty_one_leaves_a_gap() -> None:
    daily = event("RRULE:FREQ=DAILY", "ann", "", "bob")
    daily["assignment_strategy"]["shifts_per_member"] = 2

    shifts = rotation_shifts(schedule(daily), Span(at("2026-01-05T00:00"), at("2026-01-12T00:00")))

    assert [(user, start[:5]) for user, start, _ in told(shifts)] == [
        ("ann", "01-05"), ("ann", "01-06"), ("bob", "01-09"), ("bob", "01-10"), ("ann", "01-11"),
    ]  # fmt: skip


def test_every_member_is_on_call_at_once() -> None:
    both = event("RRULE:FREQ=DAILY", "ann", "bob")
    both["assignment_strategy"]["type"] = "every_member_assignment_strategy"

    shifts = rotation_shifts(schedule(both), Span(at("2026-01-05T00:00"), at("2026-01-06T00:00")))

    assert sorted(one.user for one in shifts) == ["ann", "bob"]
    assert len({(one.start, one.end) for one in shifts}) == 1


def test_days_may_be_taken_out_and_the_event_may_end() -> None:
    daily = event("RRULE:FREQ=DAILY", "ann", effective_until="2026-01-07T11:00:00Z")
    daily["recurrence"].append("EXDATE:20260106T090000")

    shifts = rotation_shifts(schedule(daily), Span(at("2026-01-05T00:00"), at("2026-01-12T00:00")))

    assert told(shifts) == [("ann", "01-05 09:00", "17:00"), ("ann", "01-07 09:00", "12:00")]


def test_an_override_replaces_one_member_of_one_rotation_for_its_time() -> None:
    override = {
        "id": "POVER",
        "rotation_id": "PROT1",
        "start_time": "2026-01-05T11:00:00+01:00",
        "end_time": "2026-01-05T13:00:00+01:00",
        "overridden_member": member("ann"),
        "overriding_member": member("cy"),
    }
    daily = schedule(event("RRULE:FREQ=DAILY", "ann", "bob"), overrides=[override])

    shifts = rotation_shifts(daily, Span(at("2026-01-05T00:00"), at("2026-01-07T00:00")))

    assert told(shifts) == [
        ("ann", "01-05 09:00", "11:00"),
        ("cy", "01-05 11:00", "13:00"),
        ("ann", "01-05 13:00", "17:00"),
        ("bob", "01-06 09:00", "17:00"),
    ]
    assert shifts[1].source == {
        "type": "schedule_rotation_override",
        "rotation_id": "PROT1",
        "override_id": "POVER",
    }


def test_a_custom_shift_adds_to_the_rotation() -> None:
    shift = {
        "id": "PSHIFT",
        "start_time": "2026-01-05T16:00:00+01:00",
        "end_time": "2026-01-05T20:00:00+01:00",
        "assignments": [{"id": "PA", "type": "shift_assignment", "member": member("cy")}],
    }

    shifts = rotation_shifts(
        schedule(event("RRULE:FREQ=DAILY", "ann"), custom_shifts=[shift]),
        Span(at("2026-01-05T00:00"), at("2026-01-06T00:00")),
    )

    assert told(shifts) == [("ann", "01-05 09:00", "17:00"), ("cy", "01-05 16:00", "20:00")]


def account() -> Store:
    store = Store()
    for user in ("ann", "bob", "cy"):
        store.add("users", {"id": user, "name": user, "email": f"{user}@example.com"})
    turns = {
        "id": "PLAYER",
        "start": "2026-01-05T09:00:00+01:00",
        "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
        "rotation_turn_length_seconds": 7 * DAY,
        "users": [{"user": reference("user", "ann")}, {"user": reference("user", "bob")}],
    }
    store.add("schedules", {"id": "PWEEKS", "name": "weeks", "time_zone": BERLIN, "schedule_layers": [turns]})
    store.add("v3_schedules", {**schedule(event("RRULE:FREQ=DAILY", "cy")), "name": "days"})
    rules = [
        {"id": "R1", "escalation_delay_in_minutes": 5, "targets": [reference("schedule", "PWEEKS")]},
        {
            "id": "R2",
            "escalation_delay_in_minutes": 5,
            "targets": [reference("schedule", "PV3"), reference("user", "ann")],
        },
    ]
    store.add("escalation_policies", {"id": "PPOLICY", "name": "policy", "escalation_rules": rules})
    return store


def test_a_level_of_a_policy_turns_to_whoever_its_schedules_and_users_are() -> None:
    store = account()

    assert on_call(store, "PPOLICY", 1, at("2026-01-06T12:00")) == ["ann"]
    assert on_call(store, "PPOLICY", 1, at("2026-01-12T09:00")) == ["bob"]
    assert on_call(store, "PPOLICY", 2, at("2026-01-06T12:00")) == ["cy", "ann"]
    assert on_call(store, "PPOLICY", 2, at("2026-01-06T20:00")) == ["ann"]


def test_levels_and_policies_that_do_not_exist_have_nobody() -> None:
    store = account()

    assert on_call(store, "PPOLICY", 3, at("2026-01-06T12:00")) == []
    assert on_call(store, "PNOBODY", 1, at("2026-01-06T12:00")) == []
    assert on_call(store, "PPOLICY", 1, at("2026-01-01T12:00")) == []


def test_what_is_remembered_of_a_schedule_is_forgotten_when_the_account_changes() -> None:
    store = account()
    noon = at("2026-01-06T12:00")
    assert on_call(store, "PPOLICY", 1, noon) == ["ann"]

    store.get("schedules", "PWEEKS")["overrides"] = [  # type: ignore[index]
        {"id": "PO", "start": "2026-01-06T00:00:00Z", "end": "2026-01-07T00:00:00Z", "user": reference("user", "cy")}
    ]
    store.touch()

    assert on_call(store, "PPOLICY", 1, noon) == ["cy"]


def test_an_entry_tells_the_whole_shift_and_none_for_those_who_are_always_on_call() -> None:
    store = account()
    noon = at("2026-01-14T12:00")

    found = list(entries(store, store.get("escalation_policies", "PPOLICY") or {}, Span(noon, noon)))

    assert [(one.level, one.user_id, one.start, one.end) for one in found] == [
        (1, "bob", at("2026-01-12T09:00"), at("2026-01-19T09:00")),
        (2, "cy", at("2026-01-14T09:00"), at("2026-01-14T17:00")),
        (2, "ann", None, None),
    ]
