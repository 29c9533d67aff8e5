"""The audit trail and the analytics of the sandbox's account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.account_kit import AccountApi

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

DAY = 86_400


@pytest.fixture
def api(sandbox: SandboxProcess) -> AccountApi:
    return AccountApi(sandbox)


def now(api: AccountApi) -> float:
    return float(api.sandbox.control("GET", "/clock")["now"])


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def tag(api: AccountApi, label: str) -> dict[str, Any]:
    return dict(api.post("/tags", {"tag": {"type": "tag", "label": label}})["tag"])


def event(key: str, summary: str = "database is down", action: str = "trigger") -> dict[str, Any]:
    payload = {"summary": summary, "source": "db-1", "severity": "critical"}
    return {"routing_key": key, "event_action": action, "dedup_key": "k", "payload": payload}


def test_every_change_is_in_the_audit_trail_newest_first(api: AccountApi) -> None:
    user = api.user("Operator")
    api.put(f"/users/{user['id']}", {"user": {"type": "user", "name": "Olga", "email": "operator@example.com"}})
    api.delete(f"/users/{user['id']}")

    deleted, updated, created = api.get("/audit/records")["records"]

    assert [one["action"] for one in (created, updated, deleted)] == ["create", "update", "delete"]
    assert updated["details"]["fields"] == [{"name": "name", "before_value": "Operator", "value": "Olga"}]
    assert (updated["actors"][0]["type"], deleted["actors"][0]["type"]) == ("user_reference", "api_key_reference")
    assert created["method"] == {"type": "api_token", "description": None, "truncated_token": "tttt"}
    assert deleted["root_resource"]["summary"] == "Olga"


def test_the_audit_trail_is_paged_by_a_cursor_that_holds_while_more_happens(api: AccountApi) -> None:
    for number in range(7):
        tag(api, f"t{number}")

    names: list[str] = []
    page = api.get("/audit/records", limit=3)
    while True:
        names += [one["details"]["resource"]["summary"] for one in page["records"]]
        if page["next_cursor"] is None:
            break
        tag(api, f"later{len(names)}")
        page = api.get("/audit/records", limit=3, cursor=page["next_cursor"])

    assert names == [f"t{number}" for number in reversed(range(7))]


def test_the_audit_trail_is_filtered(api: AccountApi) -> None:
    first, user = api.team("first"), api.user("Operator")
    team = api.team()

    teams = api.get("/audit/records", **{"root_resource_types[]": "teams"})["records"]
    assert [one["root_resource"]["id"] for one in teams] == [team["id"], first["id"]]
    by_user = api.get("/audit/records", actor_type="user_reference", actor_id=user["id"])["records"]
    assert [one["root_resource"]["id"] for one in by_user] == [team["id"], user["id"]]
    token = api.get("/audit/records", method_type="api_token", method_truncated_token="tttt")["records"]
    assert len(token) == 3
    assert api.get("/audit/records", method_type="api_token", method_truncated_token="0000")["records"] == []
    own = api.get(f"/teams/{team['id']}/audit/records")["records"]
    assert [one["action"] for one in own] == ["create"]
    assert api.refused("GET", "/audit/records", method_truncated_token="tttt")[0] == 400


def test_the_audit_trail_shows_a_day_unless_asked_and_31_days_at_most(api: AccountApi) -> None:
    tag(api, "x")
    api.sandbox.advance(2 * DAY)

    assert api.get("/audit/records")["records"] == []
    assert len(api.get("/audit/records", since=stamp(now(api) - 3 * DAY))["records"]) == 1
    assert api.refused("GET", "/audit/records", since=stamp(now(api) - 32 * DAY))[:2] == (400, 2001)


def test_an_account_that_has_not_paid_for_it_has_no_audit_trail(api: AccountApi) -> None:
    api.sandbox.control("PUT", "/account", {"abilities": ["teams"]})

    assert api.refused("GET", "/audit/records")[:2] == (402, 2014)


def incidents(api: AccountApi, count: int) -> dict[str, Any]:
    service = api.service(api.policy(api.user()))
    door = {"type": "events_api_v2_inbound_integration", "name": "events"}
    key = api.post(f"/services/{service['id']}/integrations", {"integration": door})["integration"]["integration_key"]
    for number in range(count):
        api.sandbox.enqueue({**event(key), "dedup_key": f"k{number}"})
        api.sandbox.advance(60)
        api.sandbox.enqueue({**event(key, action="acknowledge"), "dedup_key": f"k{number}"})
        api.sandbox.advance(60)
        api.sandbox.enqueue({**event(key, action="resolve"), "dedup_key": f"k{number}"})
    return service


def test_analytics_count_and_measure_the_incidents_asked_for(api: AccountApi) -> None:
    service = incidents(api, 3)
    filters = {
        "created_at_start": stamp(now(api) - DAY),
        "created_at_end": stamp(now(api)),
        "service_ids": [service["id"]],
    }

    body = {"filters": filters, "time_zone": "Europe/Berlin"}
    (all_of_them,) = api.post("/analytics/metrics/incidents/all", body, status=200)["data"]

    assert (all_of_them["total_incident_count"], all_of_them["total_incidents_acknowledged"]) == (3, 3)
    assert 118 <= all_of_them["mean_seconds_to_resolve"] <= 122
    assert 58 <= all_of_them["p95_seconds_to_first_ack"] <= 62
    other = {"filters": {**filters, "service_ids": ["POTHER"]}}
    assert api.post("/analytics/metrics/incidents/all", other, status=200)["data"] == []
    days = api.post("/analytics/metrics/incidents/all", {**body, "aggregate_unit": "day"}, status=200)["data"]
    assert sum(one["total_incident_count"] for one in days) == 3
    assert all(one["range_start"].endswith("T00:00:00") for one in days)


def test_analytics_count_by_service_team_and_policy(api: AccountApi) -> None:
    service = incidents(api, 2)

    (by_service,) = api.post("/analytics/metrics/incidents/services", {"filters": {}}, status=200)["data"]
    (by_policy,) = api.post("/analytics/metrics/incidents/escalation_policies", {"filters": {}}, status=200)["data"]
    (together,) = api.post("/analytics/metrics/incidents/teams/all", {"filters": {}}, status=200)["data"]

    assert (by_service["service_id"], by_service["total_incident_count"]) == (service["id"], 2)
    assert by_policy["escalation_policy_name"] == "policy"
    assert together["total_incident_count"] == 2


def test_raw_analytics_come_in_batches_after_the_last_one_seen(api: AccountApi) -> None:
    incidents(api, 5)
    seen: list[int] = []
    body: dict[str, Any] = {"limit": 2, "order": "asc"}
    while True:
        batch = api.post("/analytics/raw/incidents", body, status=200)
        seen += [one["incident_number"] for one in batch["data"]]
        if not batch["more"]:
            break
        body["starting_after"] = batch["last"]

    assert seen == [1, 2, 3, 4, 5]
    assert api.refused("POST", "/analytics/raw/incidents", {"limit": 1001})[0] == 400
