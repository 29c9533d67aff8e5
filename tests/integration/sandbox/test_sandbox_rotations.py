"""Schedules of rotations (v3) of the sandbox's account, over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.account_kit import AccountApi

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def api(sandbox: SandboxProcess) -> AccountApi:
    return AccountApi(sandbox)


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
