"""Every kind of resource through the client, on the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.rest.documents import reference
from tasks.utils.rest.errors import NotFoundError
from tests.integration.rest.kit import rest_of

if TYPE_CHECKING:
    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


def window(service: str) -> dict[str, Any]:
    return {
        "type": "maintenance_window",
        "start_time": (NOW + HOUR).isoformat(),
        "end_time": (NOW + 2 * HOUR).isoformat(),
        "description": "disks",
        "services": [reference(service, "service")],
    }


def subscription(service: str) -> dict[str, Any]:
    return {
        "type": "webhook_subscription",
        "delivery_method": {"type": "http_delivery_method", "url": "https://tocsin.example.com/webhooks/pagerduty"},
        "events": ["incident.triggered"],
        "filter": {"type": "service_reference", "id": service},
    }


def layers(user: str) -> dict[str, Any]:
    layer = {
        "name": "Layer",
        "start": NOW.isoformat(),
        "rotation_virtual_start": NOW.isoformat(),
        "rotation_turn_length_seconds": 86_400,
        "users": [{"user": reference(user, "user")}],
    }
    return {"type": "schedule", "name": "Nights", "time_zone": "UTC", "schedule_layers": [layer]}


LIVES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("teams", {"type": "team", "name": "Night"}, {"type": "team", "name": "Day"}),
    ("business_services", {"name": "Checkout"}, {"name": "Check-out"}),
    ("orchestrations", {"name": "Rules"}, {"name": "Rules of the shop"}),
]


@pytest.mark.parametrize(("kind", "new", "changes"), LIVES, ids=[kind for kind, *_ in LIVES])
def test_a_resource_is_made_read_changed_listed_and_removed(
    rest: RestClient, user: str, kind: str, new: dict[str, Any], changes: dict[str, Any]
) -> None:
    collection = getattr(rest, kind)

    made = collection.create(new)
    assert collection.get(made["id"])["name"] == new["name"]
    assert collection.update(made["id"], changes)["name"] == changes["name"]
    assert [one["id"] for one in collection.list()] == [made["id"]]
    collection.delete(made["id"])
    assert list(collection.list()) == []
    with pytest.raises(NotFoundError):
        collection.get(made["id"])


def test_services_are_listed_with_their_integrations_and_keys(rest: RestClient, service: str) -> None:
    door = {"type": "events_api_v2_inbound_integration", "name": "Events"}
    made = rest.services.integrations_of(service).create(door)

    [found] = rest.services.integrations(service)

    assert len(found["integration_key"]) == 32
    rest.services.integrations_of(service).delete(made["id"])
    assert rest.services.integrations(service) == []


def test_users_have_addresses_and_rules(rest: RestClient, user: str) -> None:
    methods = rest.users.contact_methods(user)
    made = methods.create({"type": "email_contact_method", "label": "Home", "address": "ann@home.example"})

    assert made["id"] in [one["id"] for one in methods.list()]
    contact = {"id": made["id"], "type": "email_contact_method"}
    rule = {
        "type": "assignment_notification_rule",
        "start_delay_in_minutes": 5,
        "contact_method": contact,
        "urgency": "high",
    }
    rules = rest.users.notification_rules(user)
    kept = rules.create(rule)
    assert rules.get(kept["id"])["start_delay_in_minutes"] == 5
    assert list(rest.users.handoff_rules(user).list()) == []
    assert list(rest.users.status_update_rules(user).list()) == []


def test_people_join_and_leave_teams(rest: RestClient, user: str) -> None:
    team = rest.teams.create({"type": "team", "name": "Night"})["id"]

    rest.teams.add_member(team, user, "responder")
    assert [(one["user"]["id"], one["role"]) for one in rest.teams.members(team)] == [(user, "responder")]
    rest.teams.remove_member(team, user)

    assert list(rest.teams.members(team)) == []


def test_policies_belong_to_teams(rest: RestClient, service: str) -> None:
    team = rest.teams.create({"type": "team", "name": "Night"})["id"]
    [policy] = rest.escalation_policies.list()

    rest.teams.add_policy(team, policy["id"])
    assert [one["id"] for one in rest.escalation_policies.list(team_ids=[team])] == [policy["id"]]
    rest.teams.remove_policy(team, policy["id"])

    assert list(rest.escalation_policies.list(team_ids=[team])) == []


def test_who_is_on_call_is_told_by_policy(rest: RestClient, user: str, service: str) -> None:
    [policy] = rest.escalation_policies.list()

    [turn] = rest.oncalls.list(escalation_policy_ids=[policy["id"]])

    assert (turn["user"]["id"], turn["escalation_level"]) == (user, 1)


def test_schedules_of_layers_have_overrides(rest: RestClient, user: str) -> None:
    schedule = rest.schedules.create(layers(user))["id"]
    stand_in = rest.users.create({"type": "user", "name": "Ann", "email": "ann@example.com"})["id"]

    [told] = rest.schedules.add_overrides(
        schedule, [{"start": NOW.isoformat(), "end": (NOW + HOUR).isoformat(), "user": reference(stand_in, "user")}]
    )
    assert told["status"] == 201
    assert [one["id"] for one in rest.schedules.overrides(schedule, NOW, NOW + HOUR)] == [told["override"]["id"]]
    assert stand_in in [one["id"] for one in rest.schedules.users(schedule, NOW, NOW + HOUR)]
    rest.schedules.delete_override(schedule, told["override"]["id"])
    assert rest.schedules.overrides(schedule, NOW + HOUR / 2, NOW + HOUR) == []
    rest.schedules.delete(schedule)
    assert list(rest.schedules.list()) == []


def test_schedules_of_both_kinds_are_in_one_list(rest: RestClient, user: str) -> None:
    old = rest.schedules.create(layers(user))
    new = rest.schedules.create({"type": "schedule_v3", "name": "Days", "time_zone": "UTC"})

    assert {one["id"] for one in rest.schedules.list()} == {old["id"], new["id"]}
    assert rest.schedules.get(new["id"])["name"] == "Days"
    assert rest.schedules.get(old["id"])["name"] == "Nights"
    assert list(rest.schedules.rotations(new["id"]).list()) == []
    rest.schedules.delete(new["id"])
    assert [one["id"] for one in rest.schedules.list()] == [old["id"]]


def test_maintenance_windows_are_listed_by_what_they_are(rest: RestClient, service: str) -> None:
    made = rest.maintenance_windows.create(window(service))

    assert [one["id"] for one in rest.maintenance_windows.list(filter="future")] == [made["id"]]
    assert list(rest.maintenance_windows.list(filter="ongoing")) == []
    rest.maintenance_windows.delete(made["id"])


def test_webhook_subscriptions_tell_their_secret_once(rest: RestClient, service: str) -> None:
    made = rest.webhooks.create(subscription(service))
    assert made["delivery_method"]["secret"]

    [listed] = rest.webhooks.list()
    assert not listed["delivery_method"]["secret"]
    assert rest.webhooks.enable(made["id"])["id"] == made["id"]
    rest.webhooks.ping(made["id"])
    rest.webhooks.delete(made["id"])


def test_rules_of_orchestrations_are_replaced_as_a_whole(rest: RestClient, user: str, service: str) -> None:
    made = rest.orchestrations.create({"name": "Rules"})
    route = {"actions": {"route_to": service}, "conditions": [{"expression": "event.summary matches part 'shop'"}]}
    rules = {
        "type": "router",
        "sets": [{"id": "start", "rules": [route]}],
        "catch_all": {"actions": {"route_to": "unrouted"}},
    }

    rest.orchestrations.replace_rules(made["id"], "router", rules)

    read = rest.orchestrations.rules(made["id"], "router")
    assert [rule["actions"] for rule in read["sets"][0]["rules"]] == [{"route_to": service}]
    assert rest.orchestrations.is_active(service) in (True, False)


def test_services_need_each_other(rest: RestClient, service: str) -> None:
    business = rest.business_services.create({"name": "Checkout"})["id"]
    need = {
        "supporting_service": {"id": service, "type": "service"},
        "dependent_service": {"id": business, "type": "business_service"},
    }

    rest.dependencies.add([need])
    assert [one["supporting_service"]["id"] for one in rest.dependencies.of(business, is_business=True)] == [service]
    rest.dependencies.remove([need])

    assert rest.dependencies.of(service) == []


def test_tags_are_put_on_and_taken_off(rest: RestClient, user: str) -> None:
    rest.tags.change("users", user, add=["night"])
    [tag] = rest.tags.of("users", user)
    assert tag["label"] == "night"
    assert [one["id"] for one in rest.tags.wearers(tag["id"], "users")] == [user]

    rest.tags.change("users", user, remove=[tag["id"]])

    assert list(rest.tags.of("users", user)) == []


def test_abilities_are_known_by_name(rest: RestClient) -> None:
    names = rest.abilities.list()

    assert names
    assert rest.abilities.has(names[0])
    assert not rest.abilities.has("flying")


@pytest.mark.parametrize("kind", ["priorities", "vendors", "extension_schemas", "extensions", "alert_grouping"])
def test_what_an_account_has_from_the_start_is_listed(rest: RestClient, kind: str) -> None:
    assert isinstance(list(getattr(rest, kind).list()), list)


def test_changes_are_in_the_audit_trail_page_by_page(client: Any, keys: Keys, sandbox: Sandbox) -> None:
    sandbox.control("POST", "/limits", {"rest_per_minute": None})
    with rest_of(client, keys, sandbox.url, {"limits.rest_calls_per_minute": 100_000}) as rest:
        for number in range(120):
            rest.teams.create({"type": "team", "name": f"Team {number}"})

        records = list(rest.audit_records.list(root_resource_types=["teams"]))

    assert len({record["id"] for record in records}) == len(records) >= 120


def test_analytics_tell_figures_and_rows(rest: RestClient, service: str) -> None:
    made = rest.incidents.create({"title": "Disk full", "service": reference(service, "service")})
    span = {"created_at_start": (NOW - HOUR).isoformat(), "created_at_end": (NOW + HOUR).isoformat()}

    assert [row["id"] for row in rest.analytics.incidents(span)] == [made["id"]]
    assert rest.analytics.metrics("incidents/all", span)[0]["total_incident_count"] == 1


def test_incidents_are_found_by_their_key_and_merged(rest: RestClient, service: str, sandbox: Sandbox) -> None:
    key = rest.services.integrations_of(service).create({"type": "events_api_v2_inbound_integration", "name": "Events"})
    for dedup_key in ("db1", "db2"):
        payload = {"summary": f"{dedup_key} is full", "source": dedup_key, "severity": "critical"}
        event = {
            "routing_key": key["integration_key"],
            "event_action": "trigger",
            "dedup_key": dedup_key,
            "payload": payload,
        }
        sandbox.http.post("/v2/enqueue", json=event).raise_for_status()
    first, second = (rest.incidents.find_open(name, service) for name in ("db1", "db2"))
    assert first is not None
    assert second is not None

    rest.incidents.merge(first["id"], [second["id"]])

    assert {alert["alert_key"] for alert in rest.incidents.alerts(first["id"])} == {"db1", "db2"}
    assert rest.incidents.get(second["id"])["status"] == "resolved"
    assert rest.incidents.find_open("nothing", service) is None


def test_others_are_told_and_called_to_an_incident(rest: RestClient, service: str, user: str) -> None:
    made = rest.incidents.create({"title": "Disk full", "service": reference(service, "service")})["id"]
    ann = rest.users.create({"type": "user", "name": "Ann", "email": "ann@example.com"})["id"]

    assert rest.incidents.status_update(made, "We are on it", subject="Disk")["message"] == "We are on it"
    assert rest.incidents.request_responders(made, "Help", requester=user, users=[ann])["message"] == "Help"
    told = [entry["type"] for entry in rest.incidents.log_entries(made)]
    assert "trigger_log_entry" in told
