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
