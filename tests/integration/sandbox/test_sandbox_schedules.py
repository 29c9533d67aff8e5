"""Schedules and on-calls of the sandbox's account, over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.account_kit import AccountApi, reference

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

JANUARY = {"since": "2026-01-05T00:00:00Z", "until": "2026-01-20T00:00:00Z"}
DAY = 86_400


@pytest.fixture
def api(sandbox: SandboxProcess) -> AccountApi:
    return AccountApi(sandbox)


def entries(schedule: dict[str, Any], name: str = "final_schedule") -> list[tuple[str, str, str]]:
    return [(one["user"]["summary"], one["start"], one["end"]) for one in schedule[name]["rendered_schedule_entries"]]


def test_a_schedule_is_computed_within_the_bounds_asked_for(api: AccountApi) -> None:
    schedule = api.schedule(api.user(), api.user("Bob"))

    shown = api.get(f"/schedules/{schedule['id']}", **JANUARY)["schedule"]

    assert entries(shown) == [
        ("Ann", "2026-01-05T09:00:00+01:00", "2026-01-12T09:00:00+01:00"),
        ("Bob", "2026-01-12T09:00:00+01:00", "2026-01-19T09:00:00+01:00"),
        ("Ann", "2026-01-19T09:00:00+01:00", "2026-01-20T01:00:00+01:00"),
    ]
    assert shown["final_schedule"]["rendered_coverage_percentage"] == 97.8
    assert (
        shown["schedule_layers"][0]["rendered_schedule_entries"] == shown["final_schedule"]["rendered_schedule_entries"]
    )


def test_overflow_shows_the_shifts_whole_and_the_zone_is_the_one_asked_for(api: AccountApi) -> None:
    schedule = api.schedule(api.user(), api.user("Bob"))

    shown = api.get(f"/schedules/{schedule['id']}", **JANUARY, overflow="true", time_zone="Etc/UTC")["schedule"]

    assert entries(shown)[-1] == ("Ann", "2026-01-19T08:00:00Z", "2026-01-26T08:00:00Z")


def test_layers_are_listed_last_first_and_the_last_one_decides(api: AccountApi) -> None:
    ann, bob = api.user(), api.user("Bob")
    schedule = api.schedule(ann)
    (layer,) = api.get(f"/schedules/{schedule['id']}")["schedule"]["schedule_layers"]
    above = {
        "start": "2026-01-06T00:00:00+01:00",
        "end": "2026-01-07T00:00:00+01:00",
        "rotation_virtual_start": "2026-01-06T00:00:00+01:00",
        "rotation_turn_length_seconds": DAY,
        "users": [{"user": reference(bob)}],
    }
    kept = {name: layer[name] for name in ("id", "start", "rotation_virtual_start", "rotation_turn_length_seconds")}
    layers = [{**kept, "users": [{"user": reference(ann)}]}, above]
    body = {"type": "schedule", "name": "weeks", "time_zone": "Europe/Berlin", "schedule_layers": layers}
    api.put(f"/schedules/{schedule['id']}", {"schedule": body})

    shown = api.get(f"/schedules/{schedule['id']}", **JANUARY)["schedule"]

    assert [one["name"] for one in shown["schedule_layers"]] == ["Layer 2", "Layer 1"]
    assert shown["schedule_layers"][1]["id"] == layer["id"]
    assert [user for user, _, _ in entries(shown)] == ["Ann", "Bob", "Ann"]


def test_a_layer_that_an_update_leaves_out_stays(api: AccountApi) -> None:
    ann = api.user()
    schedule = api.schedule(ann)
    new = {
        "start": "2026-02-01T00:00:00+01:00",
        "rotation_virtual_start": "2026-02-01T00:00:00+01:00",
        "rotation_turn_length_seconds": DAY,
        "users": [{"user": reference(ann)}],
    }
    body = {"type": "schedule", "name": "weeks", "time_zone": "Europe/Berlin", "schedule_layers": [new]}

    changed = api.put(f"/schedules/{schedule['id']}", {"schedule": body})["schedule"]

    assert len(changed["schedule_layers"]) == 2


def test_lists_leave_out_what_is_computed_unless_it_is_asked_for(api: AccountApi) -> None:
    api.schedule(api.user())

    (plain,) = api.get("/schedules")["schedules"]
    (full,) = api.get("/schedules", **JANUARY, **{"include[]": ["schedule_layers", "final_schedule"]})["schedules"]

    assert "schedule_layers" not in plain
    assert "overrides_subschedule" not in full
    assert entries(full)[0][0] == "Ann"


def test_a_preview_keeps_nothing(api: AccountApi) -> None:
    turns = {
        "start": "2026-01-05T09:00:00+01:00",
        "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
        "rotation_turn_length_seconds": DAY,
        "users": [{"user": reference(api.user())}],
    }
    body = {"schedule": {"type": "schedule", "name": "days", "time_zone": "Europe/Berlin", "schedule_layers": [turns]}}

    shown = api.call("POST", "/schedules/preview", body, **JANUARY).json()["schedule"]

    assert entries(shown)[0][0] == "Ann"
    assert api.get("/schedules")["schedules"] == []


def test_a_schedule_in_use_stays(api: AccountApi) -> None:
    schedule = api.schedule(api.user())
    policy = api.policy(schedule)

    assert "It is used by the escalation policy policy" in api.refused("DELETE", f"/schedules/{schedule['id']}")[2]

    api.delete(f"/escalation_policies/{policy['id']}")
    api.delete(f"/schedules/{schedule['id']}")


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        ({"users": []}, "Users can't be blank"),
        ({"rotation_turn_length_seconds": 0}, "Rotation turn length seconds must be greater than or equal to 1"),
        ({"start": "yesterday"}, "Start must be an ISO 8601 date"),
        ({"restrictions": [{"type": "weekly_restriction", "duration_seconds": 60, "start_time_of_day": "09:00:00"}]},
         "Restrictions start day of week can't be blank in a weekly restriction"),
    ],
)  # fmt: skip
def test_a_layer_that_cannot_be_is_refused(api: AccountApi, layer: dict[str, Any], reason: str) -> None:
    turns = {
        "start": "2026-01-05T09:00:00+01:00",
        "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
        "rotation_turn_length_seconds": DAY,
        "users": [{"user": reference(api.user())}],
        **layer,
    }
    body = {"schedule": {"type": "schedule", "name": "days", "time_zone": "Europe/Berlin", "schedule_layers": [turns]}}

    assert api.refused("POST", "/schedules", body)[2] == [reason]


def test_overrides_are_made_several_at_a_time_each_with_its_own_status(api: AccountApi) -> None:
    ann, bob = api.user(), api.user("Bob")
    schedule = api.schedule(ann)
    path = f"/schedules/{schedule['id']}/overrides"
    good = {"start": "2027-01-06T09:00:00Z", "end": "2027-01-06T12:00:00Z", "user": reference(bob)}

    made, refused = api.post(path, {"overrides": [good, {**good, "end": good["start"]}]})

    assert (made["status"], refused["status"]) == (201, 400)
    span = {"since": "2027-01-06T00:00:00Z", "until": "2027-01-07T00:00:00Z"}
    (listed,) = api.call("GET", path, **span).json()["overrides"]
    assert listed["id"] == made["override"]["id"]
    final = entries(api.get(f"/schedules/{schedule['id']}", **span)["schedule"])
    assert [user for user, _, _ in final] == ["Ann", "Bob", "Ann"]
    users = api.get(f"/schedules/{schedule['id']}/users", **span)["users"]
    assert {one["name"] for one in users} == {"Ann", "Bob"}
    api.delete(f"{path}/{listed['id']}")
    assert api.call("GET", path, **span).json()["overrides"] == []


def test_a_running_override_is_ended_and_a_past_one_stays(api: AccountApi) -> None:
    ann, bob = api.user(), api.user("Bob")
    schedule = api.schedule(ann)
    path = f"/schedules/{schedule['id']}/overrides"
    body = {"start": "2026-01-06T09:00:00Z", "end": "2028-01-01T00:00:00Z", "user": reference(bob)}
    (made,) = api.post(path, {"overrides": [body]})

    api.delete(f"{path}/{made['override']['id']}", status=200)
    api.sandbox.advance(1)

    assert api.refused("DELETE", f"{path}/{made['override']['id']}")[:2] == (400, 2001)


def event(*users: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "office",
        "start_time": {"date_time": "2026-01-05T09:00:00+01:00", "time_zone": "Europe/Berlin"},
        "end_time": {"date_time": "2026-01-05T17:00:00+01:00", "time_zone": "Europe/Berlin"},
        "effective_since": "2030-01-01T00:00:00Z",
        "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"],
        "assignment_strategy": {
            "type": "rotating_member_assignment_strategy",
            "shifts_per_member": 1,
            "members": [{"type": "user_member", "user_id": one["id"]} for one in users],
        },
    }


def rotations(api: AccountApi, *users: dict[str, Any]) -> dict[str, Any]:
    body = {"schedule": {"name": "office", "time_zone": "Europe/Berlin"}}
    schedule: dict[str, Any] = api.post("/v3/schedules", body)["schedule"]
    path = f"/v3/schedules/{schedule['id']}/rotations"
    rotation = api.post(path, {})["rotation"]
    api.post(f"{path}/{rotation['id']}/events", {"event": event(*users)})
    return schedule


WEEK = {"since": "2030-01-07T00:00:00Z", "until": "2030-01-09T00:00:00Z"}


def test_a_schedule_of_rotations_is_computed_on_request(api: AccountApi) -> None:
    schedule = rotations(api, api.user(), api.user("Bob"))
    path = f"/v3/schedules/{schedule['id']}"

    final = api.get(path, **WEEK, **{"include[]": "final_schedule"})["schedule"]["final_schedule"]

    shifts = final["computed_shift_assignments"]
    assert [one["start_time"] for one in shifts] == ["2030-01-07T09:00:00+01:00", "2030-01-08T09:00:00+01:00"]
    assert len({one["member"]["user_id"] for one in shifts}) == 2
    assert "final_schedule" not in api.get(path)["schedule"]


def test_both_kinds_of_schedules_have_their_own_lists_and_share_no_ids(api: AccountApi) -> None:
    user = api.user()
    old, new = api.schedule(user), rotations(api, user)

    assert [one["id"] for one in api.get("/schedules")["schedules"]] == [old["id"]]
    listed = api.get("/v3/schedules")
    assert [(one["id"], one["type"]) for one in listed["schedules"]] == [(new["id"], "schedule_v3_reference")]
    assert (listed["limit"], "total" in listed) == (100, False)
    assert api.call("GET", f"/v3/schedules/{old['id']}").status_code == 400
    assert api.call("GET", f"/schedules/{new['id']}").status_code == 404


def test_events_change_as_long_as_they_are_to_come(api: AccountApi) -> None:
    user = api.user()
    schedule = rotations(api, user)
    (rotation,) = api.get(f"/v3/schedules/{schedule['id']}/rotations")["rotations"]
    path = f"/v3/schedules/{schedule['id']}/rotations/{rotation['id']}/events"
    (listed,) = api.get(path)["events"]

    assert api.put(f"{path}/{listed['id']}", {"event": {"name": "day"}})["event"]["name"] == "day"
    began = api.post(path, {"event": {**event(user), "effective_since": "2026-01-01T00:00:00Z"}})["event"]
    assert began["effective_since"] > "2026-01-02"
    assert api.refused("PUT", f"{path}/{began['id']}", {"event": {"name": "x"}})[0] == 400
    api.put(f"{path}/{began['id']}", {"event": {"effective_until": "2031-01-01T00:00:00Z"}})
    api.delete(f"{path}/{listed['id']}")
    assert [one["id"] for one in api.get(path)["events"]] == [began["id"]]


@pytest.mark.parametrize(
    "fields",
    [
        {"recurrence": ["RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY"]},
        {"recurrence": ["RRULE:FREQ=SOMETIMES"]},
        {"end_time": {"date_time": "2026-01-05T08:00:00+01:00", "time_zone": "Europe/Berlin"}},
    ],
)
def test_an_event_that_cannot_be_is_refused(api: AccountApi, fields: dict[str, Any]) -> None:
    user = api.user()
    schedule = rotations(api, user)
    (rotation,) = api.get(f"/v3/schedules/{schedule['id']}/rotations")["rotations"]
    path = f"/v3/schedules/{schedule['id']}/rotations/{rotation['id']}/events"

    assert api.refused("POST", path, {"event": {**event(user), **fields}})[:2] == (400, 2001)


def test_overrides_and_custom_shifts_of_rotations(api: AccountApi) -> None:
    ann, bob = api.user(), api.user("Bob")
    schedule = rotations(api, ann)
    path = f"/v3/schedules/{schedule['id']}"
    (rotation,) = api.get(f"{path}/rotations")["rotations"]
    member, other = ({"type": "user_member", "user_id": one["id"]} for one in (ann, bob))
    times = {"start_time": "2030-01-07T12:00:00+01:00", "end_time": "2030-01-07T13:00:00+01:00"}
    override = {"type": "override_shift", "rotation_id": rotation["id"], **times, "overridden_member": member}
    late = {"start_time": "2030-01-07T17:00:00+01:00", "end_time": "2030-01-07T19:00:00+01:00"}
    custom = {"type": "custom_shift", **late, "assignments": [{"type": "shift_assignment", "member": other}]}

    (made,) = api.post(f"{path}/overrides", {"overrides": [{**override, "overriding_member": other}]})["overrides"]
    (shift,) = api.post(f"{path}/custom_shifts", {"custom_shifts": [custom]})["custom_shifts"]

    final = api.get(path, **WEEK, **{"include[]": "final_schedule"})["schedule"]["final_schedule"]
    monday = [one for one in final["computed_shift_assignments"] if one["start_time"].startswith("2030-01-07")]
    assert [one["member"]["user_id"] for one in monday] == [ann["id"], bob["id"], ann["id"], bob["id"]]
    assert [one["source"]["type"] for one in monday][1::2] == ["schedule_rotation_override", "custom_shift"]
    assert [one["id"] for one in api.get(f"{path}/overrides", **WEEK)["overrides"]] == [made["id"]]
    later = {"override": {"end_time": "2030-01-07T14:00:00+01:00"}}
    assert api.put(f"{path}/overrides/{made['id']}", later)["override"]["end_time"].startswith("2030-01-07T14")
    api.delete(f"{path}/overrides/{made['id']}")
    api.delete(f"{path}/custom_shifts/{shift['id']}")
    assert api.get(f"{path}/custom_shifts", **WEEK)["custom_shifts"] == []


def test_oncalls_tell_who_is_on_call_now_and_until_when(api: AccountApi) -> None:
    ann, bob, cy = api.user(), api.user("Bob"), api.user("Cy")
    policy = api.policy(api.schedule(ann, bob), cy)

    found = api.get("/oncalls", **{"escalation_policy_ids[]": policy["id"]})["oncalls"]

    scheduled, always = sorted(found, key=lambda one: one["schedule"] is None)
    assert scheduled["user"]["id"] in (ann["id"], bob["id"])
    assert scheduled["start"] < scheduled["end"]
    assert (always["user"]["id"], always["start"], always["end"]) == (cy["id"], None, None)


def test_oncalls_of_a_time_to_come_may_be_narrowed_to_each_users_earliest(api: AccountApi) -> None:
    policy = api.policy(api.schedule(api.user(), api.user("Bob")))
    now = float(api.sandbox.control("GET", "/clock")["now"])
    span = {"since": stamp(now), "until": stamp(now + 40 * DAY), "escalation_policy_ids[]": policy["id"]}

    every = api.get("/oncalls", **span)["oncalls"]
    earliest = api.get("/oncalls", **span, earliest="true")["oncalls"]

    assert len(every) >= 6
    assert len(earliest) == 2
    assert {one["start"] for one in earliest} == {one["start"] for one in every[:2]}


def test_oncalls_include_whole_objects_and_reach_ninety_days(api: AccountApi) -> None:
    policy = api.policy(api.schedule(api.user()))
    now = float(api.sandbox.control("GET", "/clock")["now"])

    (one,) = api.get("/oncalls", **{"escalation_policy_ids[]": policy["id"], "include[]": ["users"]})["oncalls"]

    assert one["user"]["email"] == "ann@example.com"
    assert api.refused("GET", "/oncalls", until=stamp(now + 91 * DAY))[0] == 400
    assert api.refused("GET", "/oncalls", since=stamp(now), until=stamp(now - 60))[0] == 400


def stamp(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
