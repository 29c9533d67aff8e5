"""Services, their integrations and what surrounds them in the sandbox's account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.account_kit import AccountApi, reference

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

EVENTS = {"type": "events_api_v2_inbound_integration", "name": "events"}


@pytest.fixture
def api(sandbox: SandboxProcess) -> AccountApi:
    return AccountApi(sandbox)


@pytest.fixture
def service(api: AccountApi) -> dict[str, Any]:
    return api.service(api.policy(api.user()))


def trigger(key: str, **payload: object) -> dict[str, Any]:
    full = {"summary": "disk full", "source": "db-1", "severity": "critical", **payload}
    return {"routing_key": key, "event_action": "trigger", "dedup_key": "k", "payload": full}


def key_of(api: AccountApi, service: dict[str, Any]) -> str:
    path = f"/services/{service['id']}/integrations"
    return str(api.post(path, {"integration": EVENTS})["integration"]["integration_key"])


def moment(api: AccountApi, **ahead: float) -> str:
    now = float(api.sandbox.control("GET", "/clock")["now"])
    return (datetime.fromtimestamp(now, UTC) + timedelta(**ahead)).isoformat(timespec="seconds")


def test_a_service_has_the_apis_defaults(service: dict[str, Any]) -> None:
    assert (service["auto_resolve_timeout"], service["acknowledgement_timeout"]) == (14_400, 1_800)
    assert service["alert_creation"] == "create_alerts_and_incidents"
    assert (service["status"], service["integrations"], service["teams"]) == ("active", [], [])


def test_what_an_update_leaves_out_stays(api: AccountApi, service: dict[str, Any]) -> None:
    body = {
        "service": {"type": "service", "description": "the shop", "escalation_policy": service["escalation_policy"]}
    }

    changed = api.put(f"/services/{service['id']}", body)["service"]

    assert (changed["name"], changed["description"]) == ("shop", "the shop")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "SHOP"}, "Name has already been taken"),
        ({"status": "disabled"}, "Status must be active when a service is created"),
        ({"escalation_policy": None}, "Escalation policy can't be blank"),
        ({"escalation_policy": {"id": "PX", "type": "user_reference"}}, "Escalation policy must be a reference"),
        ({"auto_resolve_timeout": "4h"}, "Auto resolve timeout is not a number"),
        ({"incident_urgency_rule": {"type": "use_support_hours"}}, "Support hours can't be blank"),
    ],
)
def test_a_service_that_cannot_be_is_refused(
    api: AccountApi, service: dict[str, Any], fields: dict[str, Any], reason: str
) -> None:
    policy = service["escalation_policy"]
    body = {"service": {"type": "service", "name": "other", "escalation_policy": policy, **fields}}

    status, code, reasons = api.refused("POST", "/services", body)

    assert (status, code) == (400, 2001)
    assert any(one.startswith(reason) for one in reasons), reasons


def test_events_with_a_new_integrations_key_are_taken_at_once_and_refused_once_it_is_deleted(
    api: AccountApi, service: dict[str, Any]
) -> None:
    made = api.post(f"/services/{service['id']}/integrations", {"integration": EVENTS})["integration"]
    key = made["integration_key"]

    assert len(key) == 32
    assert api.sandbox.enqueue(trigger(key)).status_code == 202
    assert api.sandbox.incidents()[0]["service"]["id"] == service["id"]

    api.delete(f"/services/{service['id']}/integrations/{made['id']}")

    assert api.sandbox.enqueue(trigger(key)).json()["errors"] == ["Invalid routing key"]
    assert api.call("GET", f"/services/{service['id']}/integrations/{made['id']}").status_code == 404


def test_keys_are_listed_with_the_services_that_include_their_integrations(
    api: AccountApi, service: dict[str, Any]
) -> None:
    key = key_of(api, service)

    (listed,) = api.get("/services", query="shop", **{"include[]": "integrations"})["services"]

    assert [one["integration_key"] for one in listed["integrations"]] == [key]
    assert "integration_key" not in api.get("/services", query="shop")["services"][0]["integrations"][0]


def test_an_integration_changes_its_name_and_nothing_else(api: AccountApi, service: dict[str, Any]) -> None:
    path = f"/services/{service['id']}/integrations"
    made = api.post(path, {"integration": EVENTS})["integration"]

    changed = api.put(f"{path}/{made['id']}", {"integration": {**EVENTS, "name": "more events"}})["integration"]

    assert (changed["name"], changed["integration_key"]) == ("more events", made["integration_key"])
    other = {"type": "nagios_inbound_integration", "name": "x"}
    assert api.refused("PUT", f"{path}/{made['id']}", {"integration": other})[2] == ["Type can't be changed"]


def test_an_integration_of_mail_has_an_address_and_no_key(api: AccountApi, service: dict[str, Any]) -> None:
    mail = {"type": "generic_email_inbound_integration", "name": "mail"}

    made = api.post(f"/services/{service['id']}/integrations", {"integration": mail})["integration"]

    assert "@" in made["integration_email"]
    assert made.get("integration_key") is None


def test_with_a_service_its_keys_go(api: AccountApi, service: dict[str, Any]) -> None:
    key = key_of(api, service)

    api.delete(f"/services/{service['id']}")

    assert api.sandbox.enqueue(trigger(key)).status_code == 400


def test_a_renamed_service_opens_incidents_in_its_new_name(api: AccountApi, service: dict[str, Any]) -> None:
    key = key_of(api, service)
    body = {"type": "service", "name": "till", "escalation_policy": service["escalation_policy"]}
    api.put(f"/services/{service['id']}", {"service": body})

    api.sandbox.enqueue(trigger(key))

    assert api.sandbox.incidents()[0]["service"]["summary"] == "till"


def test_the_status_of_a_service_is_that_of_its_incidents(api: AccountApi, service: dict[str, Any]) -> None:
    key = key_of(api, service)

    def status() -> str:
        return str(api.get(f"/services/{service['id']}")["service"]["status"])

    api.sandbox.enqueue(trigger(key))
    assert status() == "critical"
    api.sandbox.enqueue({**trigger(key), "event_action": "acknowledge"})
    assert status() == "warning"
    api.sandbox.enqueue({**trigger(key), "event_action": "resolve"})
    assert status() == "active"
    assert api.get(f"/services/{service['id']}")["service"]["last_incident_timestamp"] is not None


def test_a_maintenance_window_keeps_a_service_quiet_until_it_is_ended(api: AccountApi, service: dict[str, Any]) -> None:
    key = key_of(api, service)
    body = {
        "type": "maintenance_window",
        "start_time": moment(api, hours=1),
        "end_time": moment(api, hours=3),
        "services": [reference(service)],
    }
    window = api.post("/maintenance_windows", {"maintenance_window": body})["maintenance_window"]
    assert api.get(f"/services/{service['id']}")["service"]["status"] == "active"

    api.sandbox.advance(2 * 3600)

    assert api.get(f"/services/{service['id']}")["service"]["status"] == "maintenance"
    api.sandbox.enqueue(trigger(key))
    assert api.sandbox.incidents() == []
    assert [one["id"] for one in api.get("/maintenance_windows", filter="ongoing")["maintenance_windows"]] == [
        window["id"]
    ]

    api.delete(f"/maintenance_windows/{window['id']}")

    assert api.get("/maintenance_windows", filter="open")["maintenance_windows"] == []
    assert [one["id"] for one in api.get("/maintenance_windows", filter="past")["maintenance_windows"]] == [
        window["id"]
    ]
    api.sandbox.enqueue(trigger(key))
    assert len(api.sandbox.incidents()) == 1
    assert api.call("DELETE", f"/maintenance_windows/{window['id']}").status_code == 405


def test_a_window_to_come_is_deleted_altogether(api: AccountApi, service: dict[str, Any]) -> None:
    times = {"start_time": moment(api, hours=1), "end_time": moment(api, hours=2)}
    body = {"type": "maintenance_window", "services": [reference(service)], **times}
    window = api.post("/maintenance_windows", {"maintenance_window": body})["maintenance_window"]

    api.delete(f"/maintenance_windows/{window['id']}")

    assert api.call("GET", f"/maintenance_windows/{window['id']}").status_code == 404


def test_a_window_ends_after_it_starts_and_in_the_future(api: AccountApi, service: dict[str, Any]) -> None:
    for start, end in ((2, 1), (-3, -2)):
        times = {"start_time": moment(api, hours=start), "end_time": moment(api, hours=end)}
        body = {"type": "maintenance_window", "services": [reference(service)], **times}

        assert api.refused("POST", "/maintenance_windows", {"maintenance_window": body})[0] == 400


def test_business_services_are_supported_by_services(api: AccountApi, service: dict[str, Any]) -> None:
    team = api.team()
    body = {"business_service": {"name": "Checkout", "team": {"id": team["id"]}}}
    business = api.post("/business_services", body, status=200)["business_service"]
    pair = {
        "supporting_service": {"id": service["id"], "type": "service"},
        "dependent_service": {"id": business["id"], "type": "business_service"},
    }

    (made,) = api.post("/service_dependencies/associate", {"relationships": [pair]}, status=200)["relationships"]

    assert made["supporting_service"] == {"id": service["id"], "type": "technical_service_reference"}
    assert api.get(f"/service_dependencies/business_services/{business['id']}")["relationships"] == [made]
    assert api.get(f"/service_dependencies/technical_services/{service['id']}")["relationships"] == [made]
    again = api.post("/service_dependencies/associate", {"relationships": [pair]}, status=200)
    assert again["relationships"] == [made]
    api.post("/service_dependencies/disassociate", {"relationships": [pair]}, status=200)
    assert api.get(f"/service_dependencies/business_services/{business['id']}")["relationships"] == []
    assert api.refused("POST", "/service_dependencies/disassociate", {"relationships": [pair]})[0] == 400


def test_dependencies_go_with_either_end(api: AccountApi, service: dict[str, Any]) -> None:
    business = api.post("/business_services", {"business_service": {"name": "Checkout"}}, status=200)[
        "business_service"
    ]
    pair = {
        "supporting_service": {"id": service["id"], "type": "service"},
        "dependent_service": {"id": business["id"], "type": "business_service"},
    }
    api.post("/service_dependencies/associate", {"relationships": [pair]}, status=200)

    api.delete(f"/services/{service['id']}")

    assert api.get(f"/service_dependencies/business_services/{business['id']}")["relationships"] == []


def setting(*services: dict[str, Any]) -> dict[str, Any]:
    config = {"aggregate": "all", "fields": ["summary"], "time_window": 300}
    named = [{"id": one["id"], "type": "service_reference"} for one in services]
    return {
        "alert_grouping_setting": {"name": "by summary", "type": "content_based", "config": config, "services": named}
    }


def test_services_share_an_alert_grouping_setting_until_they_are_given_their_own(api: AccountApi) -> None:
    policy = api.policy(api.user())
    first, second = api.service(policy), api.service(policy, "till")
    made = api.post("/alert_grouping_settings", setting(first, second))["alert_grouping_setting"]

    shown = api.get(f"/services/{first['id']}")["service"]["alert_grouping_parameters"]
    assert shown == {"id": made["id"], "type": "content_based"}
    assert api.refused("POST", "/alert_grouping_settings", setting(first))[0] == 400

    own = {"type": "time", "config": {"timeout": 5}}
    body = {"type": "service", "escalation_policy": reference(policy), "alert_grouping_parameters": own}
    api.put(f"/services/{first['id']}", {"service": body})

    left = api.get(f"/alert_grouping_settings/{made['id']}")["alert_grouping_setting"]["services"]
    assert [one["id"] for one in left] == [second["id"]]


def test_alert_grouping_settings_are_paged_by_after_and_before(api: AccountApi) -> None:
    policy = api.policy(api.user())
    names = [
        api.post("/alert_grouping_settings", setting(api.service(policy, f"s{number}")))["alert_grouping_setting"]["id"]
        for number in range(5)
    ]

    first = api.get("/alert_grouping_settings", limit=2)
    second = api.get("/alert_grouping_settings", limit=2, after=first["after"], total="true")
    third = api.get("/alert_grouping_settings", limit=2, after=second["after"])

    pages = [[one["id"] for one in page["alert_grouping_settings"]] for page in (first, second, third)]
    assert pages == [names[:2], names[2:4], names[4:]]
    assert ("before" in first, "after" in third, second["total"]) == (False, False, 5)
    back = api.get("/alert_grouping_settings", limit=2, before=third["before"])
    assert [one["id"] for one in back["alert_grouping_settings"]] == names[2:4]
