"""Tags, extensions, orchestrations, abilities, the audit trail and analytics of the sandbox's account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.account_kit import AccountApi, reference

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


def test_tags_are_put_on_and_taken_off_and_new_ones_made_on_the_way(api: AccountApi) -> None:
    user, old = api.user(), tag(api, "old")
    path = f"/users/{user['id']}"
    api.post(f"{path}/change_tags", {"add": [reference(old), {"type": "tag", "label": "new"}]}, status=200)

    assert {one["label"] for one in api.get(f"{path}/tags")["tags"]} == {"old", "new"}
    assert [one["id"] for one in api.get(f"/tags/{old['id']}/users")["users"]] == [user["id"]]

    api.post(f"{path}/change_tags", {"remove": [reference(old)]}, status=200)

    assert [one["label"] for one in api.get(f"{path}/tags")["tags"]] == ["new"]
    assert [one["label"] for one in api.get("/tags", query="ol")["tags"]] == ["old"]


def test_a_tag_nobody_has_made_changes_nothing(api: AccountApi) -> None:
    user = api.user()
    body = {"add": [{"type": "tag", "label": "new"}], "remove": [{"type": "tag_reference", "id": "PNONE"}]}

    assert api.refused("POST", f"/users/{user['id']}/change_tags", body)[0] == 400
    assert api.get("/tags")["tags"] == []


def test_a_label_is_used_once_and_has_191_characters_at_most(api: AccountApi) -> None:
    tag(api, "x")

    assert api.refused("POST", "/tags", {"tag": {"type": "tag", "label": "x"}})[0] == 400
    assert api.refused("POST", "/tags", {"tag": {"type": "tag", "label": "x" * 192}})[0] == 400
    assert api.call("PUT", f"/tags/{api.get('/tags')['tags'][0]['id']}", {"tag": {}}).status_code == 405


def test_extensions_belong_to_services_and_have_a_schema(api: AccountApi) -> None:
    service = api.service(api.policy(api.user()))
    schema = api.get("/extension_schemas")["extension_schemas"][0]
    body = {
        "name": "hook",
        "extension_schema": {"id": schema["id"], "type": "extension_schema_reference"},
        "endpoint_url": "https://example.com/hook",
        "extension_objects": [reference(service)],
    }

    made = api.post("/extensions", {"extension": body})["extension"]

    assert [one["id"] for one in api.get("/extensions", extension_object_id=service["id"])["extensions"]] == [
        made["id"]
    ]
    assert api.get("/extensions", extension_schema_id="POTHER")["extensions"] == []
    api.put(f"/extensions/{made['id']}", {"extension": {**body, "name": "renamed"}})
    assert api.get(f"/extensions/{made['id']}")["extension"]["name"] == "renamed"
    assert not api.post(f"/extensions/{made['id']}/enable", status=200)["extension"]["temporarily_disabled"]
    api.delete(f"/extensions/{made['id']}")


def test_vendors_priorities_and_schemas_are_there_to_be_read(api: AccountApi) -> None:
    assert [one["name"] for one in api.get("/priorities")["priorities"]] == ["P1", "P2", "P3", "P4", "P5"]
    vendor = api.get("/vendors")["vendors"][0]
    assert api.get(f"/vendors/{vendor['id']}")["vendor"] == vendor
    schema = api.get("/extension_schemas")["extension_schemas"][0]
    assert api.get(f"/extension_schemas/{schema['id']}")["extension_schema"]["key"] == schema["key"]
    assert api.call("POST", "/vendors", {}).status_code == 405


def test_licences_are_counted_by_their_users(api: AccountApi) -> None:
    user = api.user()
    api.user("Bob", role="read_only_user")

    full, watching = api.get("/licenses")["licenses"]

    assert (full["current_value"], watching["current_value"]) == (2, 1)  # the account's default user has one
    assert api.get(f"/users/{user['id']}/license")["license"]["id"] == full["id"]
    assert len(api.get("/license_allocations")["license_allocations"]) == 3


def test_an_ability_is_there_or_not_paid_for_or_unknown(api: AccountApi) -> None:
    api.sandbox.control("PUT", "/account", {"abilities": ["teams"]})

    assert api.get("/abilities")["abilities"] == ["teams"]
    statuses = [api.call("GET", f"/abilities/{name}").status_code for name in ("teams", "sso", "flight")]
    assert statuses == [204, 402, 404]


def test_addons_need_https(api: AccountApi) -> None:
    body = {"type": "full_page_addon", "name": "status", "src": "https://example.com/status"}

    made = api.post("/addons", {"addon": body})["addon"]

    assert made["type"] == "full_page_addon_reference"
    assert api.refused("POST", "/addons", {"addon": {**body, "src": "http://example.com"}})[0] == 400
    api.delete(f"/addons/{made['id']}")


def orchestration(api: AccountApi, name: str = "front door") -> dict[str, Any]:
    return dict(api.post("/event_orchestrations", {"orchestration": {"name": name}})["orchestration"])


def event(key: str, summary: str = "database is down", action: str = "trigger") -> dict[str, Any]:
    payload = {"summary": summary, "source": "db-1", "severity": "critical"}
    return {"routing_key": key, "event_action": action, "dedup_key": "k", "payload": payload}


def router(*rules: tuple[str, str], catch_all: str = "unrouted") -> dict[str, Any]:
    listed = [
        {"label": "", "conditions": [{"expression": expression}], "actions": {"route_to": service}}
        for expression, service in rules
    ]
    sets = [{"id": "start", "rules": listed}]
    return {"orchestration_path": {"sets": sets, "catch_all": {"actions": {"route_to": catch_all}}}}


def test_an_orchestrations_key_routes_events_to_services(api: AccountApi) -> None:
    made = orchestration(api)
    key = made["integrations"][0]["parameters"]["routing_key"]
    policy = api.policy(api.user())
    databases, rest = api.service(policy, "databases"), api.service(policy, "rest")
    rules = router(("event.summary matches part 'database'", databases["id"]), catch_all=rest["id"])
    api.put(f"/event_orchestrations/{made['id']}/router", rules)

    assert (len(key), key[0]) == (32, "R")
    assert api.sandbox.enqueue(event(key)).status_code == 202
    assert api.sandbox.enqueue({**event(key, "disk is full"), "dedup_key": "other"}).status_code == 202
    assert [one["service"]["summary"] for one in api.sandbox.incidents()] == ["databases", "rest"]

    api.sandbox.enqueue(event(key, action="resolve"))

    assert [one["status"] for one in api.sandbox.incidents()] == ["resolved", "triggered"]


def test_what_no_rule_routes_is_taken_and_opens_nothing(api: AccountApi) -> None:
    key = orchestration(api)["integrations"][0]["parameters"]["routing_key"]

    assert api.sandbox.enqueue(event(key)).status_code == 202
    assert api.sandbox.last()["outcome"] == "unrouted"
    assert api.sandbox.incidents() == []


def test_an_orchestrations_integrations_come_go_and_move_with_their_keys(api: AccountApi) -> None:
    first, second = orchestration(api), orchestration(api, "back door")
    path = f"/event_orchestrations/{first['id']}/integrations"
    made = api.post(path, {"integration": {"label": "metrics"}})["integration"]
    key = made["parameters"]["routing_key"]

    assert api.get(path)["total"] == 2
    assert api.put(f"{path}/{made['id']}", {"integration": {"label": "logs"}})["integration"]["label"] == "logs"
    move = {"source_id": first["id"], "source_type": "orchestration", "integration_id": made["id"]}
    moved = api.post(f"/event_orchestrations/{second['id']}/integrations/migration", move, status=200)
    assert made["id"] in {one["id"] for one in moved["integrations"]}
    assert api.sandbox.enqueue(event(key)).status_code == 202
    api.delete(f"/event_orchestrations/{second['id']}/integrations/{made['id']}")
    assert api.sandbox.enqueue(event(key)).json()["errors"] == ["Invalid routing key"]


def test_with_an_orchestration_its_keys_go(api: AccountApi) -> None:
    made = orchestration(api)
    api.delete(f"/event_orchestrations/{made['id']}")

    assert api.sandbox.enqueue(event(made["integrations"][0]["parameters"]["routing_key"])).status_code == 400


def test_documents_of_rules_are_replaced_whole(api: AccountApi) -> None:
    made = orchestration(api)
    service = api.service(api.policy(api.user()))
    path = f"/event_orchestrations/{made['id']}"
    api.put(
        f"{path}/router", router(("event.source matches 'a'", service["id"]), ("event.source exists", service["id"]))
    )

    document = api.put(f"{path}/router", router(("event.source matches 'b'", service["id"])))["orchestration_path"]

    (rule,) = document["sets"][0]["rules"]
    assert rule["conditions"] == [{"expression": "event.source matches 'b'"}]
    assert api.get(f"{path}/router")["orchestration_path"] == document
    assert api.get("/event_orchestrations")["orchestrations"][0]["routes"] == 1
    unknown = router(("event.source exists", "PNOBODY"))
    assert api.refused("PUT", f"{path}/router", unknown)[0] == 400
    for kind in ("global", "unrouted"):
        rules = {"sets": [{"id": "start", "rules": []}], "catch_all": {"actions": {}}}
        api.put(f"{path}/{kind}", {"orchestration_path": rules})
        assert api.get(f"{path}/{kind}")["orchestration_path"]["type"] == kind


def test_a_service_has_rules_of_its_own_that_may_be_active(api: AccountApi) -> None:
    service = api.service(api.policy(api.user()))
    path = f"/event_orchestrations/services/{service['id']}"
    rules = {"sets": [{"id": "start", "rules": []}], "catch_all": {"actions": {"suppress": True}}}

    api.put(path, {"orchestration_path": rules})

    assert api.get(path)["orchestration_path"]["catch_all"] == {"actions": {"suppress": True}}
    assert api.get(f"{path}/active") == {"active": False}
    assert api.put(f"{path}/active", {"active": True}) == {"active": True}


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
