"""Which incidents and log entries a list has, in which order, and what can be shown whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.incident_kit import (
    ALICE,
    BOB,
    CAROL,
    DB,
    MINUTE,
    POLICY,
    TEAM,
    WEB,
    Desk,
    account,
    reference,
)
from tests.integration.sandbox.kit import OTHER_KEY, event

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def desk(sandbox: SandboxProcess) -> Desk:
    sandbox.control("PUT", "/account", account())
    sandbox.control("POST", "/limits", {"events_per_minute": None})
    return Desk(sandbox)


def titles(desk: Desk, **query: Any) -> list[str]:
    return [one["title"] for one in desk.sandbox.incidents(**query)]


@pytest.fixture
def three(desk: Desk) -> Desk:
    """One of db for Alice, one of web for Bob, one by hand for Carol of low urgency: opened a minute apart."""
    desk.trigger("a", summary="a")
    desk.sandbox.advance(MINUTE)
    web = desk.trigger("b", key=OTHER_KEY, summary="b")
    desk.put(web["id"], escalation_level=2)
    desk.sandbox.advance(MINUTE)
    desk.open("c", assignments=[{"assignee": reference("user", CAROL)}], urgency="low")
    return desk


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["a", "b", "c"]),
        ({"service_ids[]": [WEB]}, ["b"]),
        ({"service_ids[]": [WEB, DB]}, ["a", "b", "c"]),
        ({"user_ids[]": [ALICE, CAROL]}, ["a", "c"]),
        ({"team_ids[]": [TEAM]}, ["a", "b", "c"]),
        ({"team_ids[]": ["PNOBODY"]}, []),
        ({"urgencies[]": ["low"]}, ["c"]),
        ({"statuses[]": ["acknowledged"]}, []),
        ({"sort_by": "incident_number:desc"}, ["c", "b", "a"]),
        ({"sort_by": "urgency:asc,created_at:desc"}, ["c", "b", "a"]),
        ({"sort_by": "urgency:desc"}, ["a", "b", "c"]),
    ],
)
def test_incidents_are_found_by_whatever_the_api_offers(three: Desk, query: dict[str, Any], found: list[str]) -> None:
    assert titles(three, **query) == found


def test_resolved_incidents_are_nobodys(three: Desk) -> None:
    (first,) = three.sandbox.incidents(**{"user_ids[]": ALICE})
    three.put(first["id"], status="resolved")

    assert titles(three, **{"user_ids[]": ALICE}) == []
    assert titles(three, **{"statuses[]": ["triggered", "acknowledged"]}) == ["b", "c"]
    assert titles(three, sort_by="resolved_at:desc,incident_number:asc") == ["a", "b", "c"]


@pytest.mark.parametrize(
    "query",
    [
        {"sort_by": "title"},
        {"sort_by": "created_at:up"},
        {"sort_by": "incident_number,created_at,urgency"},
        {"statuses[]": "open"},
        {"urgencies[]": "medium"},
    ],
)
def test_what_the_api_does_not_offer_is_refused(desk: Desk, query: dict[str, Any]) -> None:
    assert desk.ask("GET", "/incidents", status=400, **query)["error"]["code"] == 2001
    desk.sandbox.watch.skip("asks for what PagerDuty does not describe")


def test_a_hundred_incidents_are_matched_to_their_dedup_keys_with_one_call(desk: Desk) -> None:
    for number in range(100):
        desk.sandbox.enqueue(event(dedup_key=f"key/{number}"))

    found = desk.sandbox.get("/incidents", limit=100, **{"include[]": "first_trigger_log_entries"})["incidents"]

    channels = [one["first_trigger_log_entry"]["channel"] for one in found]
    assert [one["incident_key"] for one in channels] == [f"key/{number}" for number in range(100)]
    assert {one["type"] for one in channels} == {"api"}
    assert {one["incident_key"] for one in found} == {None}


def test_what_incidents_name_can_be_shown_whole(desk: Desk) -> None:
    name = desk.trigger()["id"]
    desk.put(name, status="acknowledged", priority=reference("priority", "PSANDBPR02"))
    include = ["assignees", "acknowledgers", "services", "escalation_policies", "teams", "priorities", "users"]

    shown = desk.show(name, **{"include[]": include})

    assert shown["assignments"][0]["assignee"]["email"] == "alice@example.com"
    assert shown["acknowledgements"][0]["acknowledger"]["email"] == "alice@example.com"
    assert shown["last_status_change_by"]["email"] == "alice@example.com"
    assert (shown["service"]["type"], shown["service"]["id"]) == ("service", DB)
    assert (shown["escalation_policy"]["num_loops"], shown["escalation_policy"]["id"]) == (1, POLICY)
    assert (shown["teams"][0]["type"], shown["priority"]["name"]) == ("team", "P2")


def test_the_log_of_the_account_is_newest_first_and_found_by_time_and_team(three: Desk) -> None:
    every = three.sandbox.get("/log_entries", limit=100)["log_entries"]
    minute = datetime.fromtimestamp(three.sandbox.control("GET", "/clock")["now"] - 30, UTC).isoformat()
    late = three.sandbox.get("/log_entries", since=minute, limit=100)["log_entries"]

    times = [one["created_at"] for one in every]
    assert times == sorted(times, reverse=True)
    assert {one["incident"]["summary"] for one in late} == {"[#3] c"}
    assert three.sandbox.get("/log_entries", **{"team_ids[]": "PNOBODY"})["log_entries"] == []
    assert len(three.sandbox.get("/log_entries", limit=100, **{"team_ids[]": TEAM})["log_entries"]) == len(every)


def test_an_overview_leaves_calls_and_notes_out(desk: Desk) -> None:
    name = desk.trigger()["id"]
    desk.ask("POST", f"/incidents/{name}/notes", {"note": {"content": "hm"}})

    overview = [one["type"] for one in desk.entries(name, is_overview="true")]

    assert overview == ["trigger_log_entry", "assign_log_entry"]
    assert len(desk.entries(name)) == 4


def test_channels_and_what_entries_name_come_whole_on_request(desk: Desk) -> None:
    body = event(dedup_key="k", custom_details={"free": "1 %"})
    desk.sandbox.enqueue(body)
    include = {"include[]": ["channels", "incidents", "services", "teams"]}

    bare = desk.sandbox.get("/log_entries", limit=100)["log_entries"][-1]
    whole = desk.sandbox.get("/log_entries", limit=100, **include)["log_entries"][-1]

    assert bare["channel"] == {"type": "api"}
    assert whole["channel"]["details"] == {"free": "1 %"}
    assert (whole["channel"]["service_key"], whole["channel"]["description"]) == ("a" * 32, "disk full")
    assert whole["incident"]["incident_number"] == 1
    assert (whole["service"]["type"], whole["teams"][0]["type"]) == ("service", "team")


def test_one_log_entry_is_read_by_its_id(desk: Desk) -> None:
    name = desk.trigger()["id"]
    (first, *_) = desk.entries(name, **{"include[]": "channels"})

    assert desk.sandbox.get(f"/log_entries/{first['id']}")["log_entry"] == first
    assert desk.refused("GET", "/log_entries/R9999999999999", status=404)[0] == 2100
    assert desk.refused("GET", "/log_entries/nonsense", status=404)[0] == 2100


def test_every_trigger_of_an_alert_is_in_the_log_up_to_a_hundred(desk: Desk) -> None:
    for _ in range(103):
        desk.sandbox.enqueue(event(dedup_key="again"))
    name = desk.latest()["id"]

    found = desk.sandbox.get(f"/incidents/{name}/log_entries", limit=100)
    more = desk.sandbox.get(f"/incidents/{name}/log_entries", limit=100, offset=100)
    kinds = [one["type"] for one in [*found["log_entries"], *more["log_entries"]]]

    assert kinds.count("trigger_log_entry") == 99
    assert kinds[0] == "reach_trigger_limit_log_entry"


def test_calls_need_both_ends_of_a_time(desk: Desk) -> None:
    assert desk.ask("GET", "/notifications", status=400)["error"]["code"] == 2001
    query = {"since": "2026-01-01", "until": "2026-06-01"}
    assert desk.ask("GET", "/notifications", status=400, **query)["error"]["code"] == 2001
    assert BOB
