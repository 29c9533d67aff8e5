"""Event orchestrations of the sandbox's account, their keys and their rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.account_kit import AccountApi

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def api(sandbox: SandboxProcess) -> AccountApi:
    return AccountApi(sandbox)


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


def test_cache_variables_are_kept_for_orchestrations_and_services(api: AccountApi) -> None:
    service = api.service(api.policy(api.user()))
    counted = {
        "name": "triggers",
        "configuration": {"type": "trigger_event_count", "ttl_seconds": 60},
        "conditions": [],
    }
    for owner in (orchestration(api)["id"], f"services/{service['id']}"):
        path = f"/event_orchestrations/{owner}/cache_variables"
        made = api.post(path, {"cache_variable": counted}, status=200)["cache_variable"]

        changed = api.put(f"{path}/{made['id']}", {"cache_variable": {**counted, "name": "count"}})["cache_variable"]

        assert api.get(f"{path}/{made['id']}")["cache_variable"] == changed
        assert (api.get(path)["total"], changed["name"]) == (1, "count")
        assert api.refused("POST", path, {"cache_variable": {"name": "x"}})[0] == 400
        api.delete(f"{path}/{made['id']}")
        assert api.get(path)["cache_variables"] == []
    assert "cache_variables" not in api.get(f"/services/{service['id']}")["service"]


def test_a_service_has_rules_of_its_own_that_may_be_active(api: AccountApi) -> None:
    service = api.service(api.policy(api.user()))
    path = f"/event_orchestrations/services/{service['id']}"
    rules = {"sets": [{"id": "start", "rules": []}], "catch_all": {"actions": {"suppress": True}}}

    api.put(path, {"orchestration_path": rules})

    assert api.get(path)["orchestration_path"]["catch_all"] == {"actions": {"suppress": True}}
    assert api.get(f"{path}/active") == {"active": False}
    assert api.put(f"{path}/active", {"active": True}) == {"active": True}


def rule(actions: dict[str, Any], *conditions: str) -> dict[str, Any]:
    return {"conditions": [{"expression": one} for one in conditions], "actions": actions}


def rules(*of_start: dict[str, Any], catch_all: dict[str, Any] | None = None, **sets: list[dict[str, Any]]) -> Any:
    listed = [{"id": name, "rules": found} for name, found in {"start": list(of_start), **sets}.items()]
    return {"orchestration_path": {"sets": listed, "catch_all": {"actions": catch_all or {}}}}


@pytest.fixture
def service(api: AccountApi) -> dict[str, Any]:
    """One whose rules are active."""
    made = api.service(api.policy(api.user()))
    api.put(f"/event_orchestrations/services/{made['id']}/active", {"active": True})
    return made


@pytest.fixture
def key(api: AccountApi, service: dict[str, Any]) -> str:
    """A routing key of it."""
    wanted = {"type": "events_api_v2_inbound_integration", "name": "events"}
    return str(
        api.post(f"/services/{service['id']}/integrations", {"integration": wanted})["integration"]["integration_key"]
    )


def put_rules(api: AccountApi, service: dict[str, Any], document: Any) -> None:
    api.put(f"/event_orchestrations/services/{service['id']}", document)


def outcome(api: AccountApi, event: dict[str, Any]) -> str:
    assert api.sandbox.enqueue(event).status_code == 202
    return str(api.sandbox.last()["outcome"])


def test_rules_of_a_service_suppress_an_alert_only_while_they_are_active(
    api: AccountApi, service: dict[str, Any], key: str
) -> None:
    put_rules(api, service, rules(rule({"suppress": True}, "event.severity matches 'critical'")))

    assert outcome(api, event(key)) == "suppressed"
    assert api.sandbox.incidents() == []
    assert api.sandbox.control("GET", "/state")["alerts"]["suppressed"] == 1
    assert outcome(api, event(key, action="resolve")) == "resolved"

    api.put(f"/event_orchestrations/services/{service['id']}/active", {"active": False})
    assert outcome(api, event(key)) == "opened"


def test_what_no_rule_of_a_set_fits_gets_what_catches_all_also_in_a_set_that_a_rule_leads_to(
    api: AccountApi, service: dict[str, Any], key: str
) -> None:
    document = rules(
        rule({"severity": "info", "route_to": "second"}, "event.source matches 'db-1'"),
        second=[rule({"suppress": False}, "event.severity matches 'critical'")],
        catch_all={"suppress": True},
    )
    put_rules(api, service, document)

    assert outcome(api, event(key)) == "suppressed"  # the second set sees the severity that the first one gave


def test_rules_give_priority_note_urgency_and_summary(api: AccountApi, service: dict[str, Any], key: str) -> None:
    (priority, *_) = api.get("/priorities")["priorities"]
    told = {
        "priority": priority["id"],
        "annotate": "see the runbook",
        "variables": [{"name": "what", "type": "regex", "path": "event.summary", "value": "^(\\w+) is"}],
        "extractions": [{"template": "{{variables.what}} on {{event.source}}", "target": "event.summary"}],
    }
    put_rules(api, service, rules(rule(told)))

    assert outcome(api, event(key)) == "opened"

    (incident,) = api.sandbox.incidents()
    assert (incident["title"], incident["priority"]["id"]) == ("database on db-1", priority["id"])
    (note,) = api.get(f"/incidents/{incident['id']}/notes")["notes"]
    assert note["content"] == "see the runbook"


def test_a_key_that_rules_extract_is_the_alerts_and_the_answer_names_the_one_that_was_sent(
    api: AccountApi, service: dict[str, Any], key: str
) -> None:
    found = {"extractions": [{"source": "event.dedup_key", "regex": "^(\\w+)-", "target": "event.dedup_key"}]}
    put_rules(api, service, rules(rule(found)))

    answers = [api.sandbox.enqueue({**event(key), "dedup_key": f"disk-{number}"}).json() for number in range(2)]

    assert [one["dedup_key"] for one in answers] == ["disk-0", "disk-1"]
    (incident,) = api.sandbox.incidents()
    (alert,) = api.get(f"/incidents/{incident['id']}/alerts")["alerts"]
    assert alert["alert_key"] == "disk"
    assert outcome(api, {**event(key, action="resolve"), "dedup_key": "disk-7"}) == "resolved"


def test_a_suspended_alert_opens_its_incident_later_unless_it_is_resolved_before(
    api: AccountApi, service: dict[str, Any], key: str
) -> None:
    put_rules(api, service, rules(catch_all={"suspend": 300}))
    assert outcome(api, event(key)) == "suspended"
    assert outcome(api, {**event(key), "dedup_key": "flaps"}) == "suspended"
    assert outcome(api, {**event(key, action="resolve"), "dedup_key": "flaps"}) == "resolved"

    api.sandbox.advance(299)
    assert api.sandbox.incidents() == []
    api.sandbox.advance(2)

    assert len(api.sandbox.incidents()) == 1


def test_global_rules_come_before_the_router_and_may_drop_an_event_or_make_it_a_resolve(
    api: AccountApi, service: dict[str, Any]
) -> None:
    made = orchestration(api)
    key, path = made["integrations"][0]["parameters"]["routing_key"], f"/event_orchestrations/{made['id']}"
    api.put(f"{path}/router", router(("event.severity matches 'info'", service["id"])))
    document = rules(
        rule({"drop_event": True}, "event.summary matches part 'noise'"),
        rule({"event_action": "resolve"}, "event.summary matches part 'recovered'"),
        rule({"severity": "info"}),
    )
    api.put(f"{path}/global", document)

    assert outcome(api, event(key, "noise")) == "dropped"
    assert outcome(api, event(key)) == "opened"
    assert outcome(api, event(key, "recovered")) == "resolved"


def test_rules_that_lead_in_a_circle_come_to_an_end(api: AccountApi, service: dict[str, Any], key: str) -> None:
    put_rules(api, service, rules(rule({"route_to": "start"})))

    assert outcome(api, event(key)) == "opened"
