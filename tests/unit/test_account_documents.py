"""What of PagerDuty's objects a backup keeps, how two of them compare, and how they are sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.backups.account.bodies import changed_body, new_body
from tasks.backups.account.canonical import document_of
from tasks.backups.account.comparison import differing, is_over, key_of

NOW = datetime(2026, 11, 27, tzinfo=UTC)
POLICY = {"id": "PEP0001", "type": "escalation_policy_reference"}
SERVICE = {
    "id": "PSHOP01",
    "type": "service",
    "summary": "Shop",
    "self": "https://api.pagerduty.com/services/PSHOP01",
    "html_url": "https://acme.pagerduty.com/services/PSHOP01",
    "name": "Shop",
    "status": "critical",
    "created_at": "2020-01-01T00:00:00Z",
    "last_incident_timestamp": "2026-01-01T00:00:00Z",
    "escalation_policy": {**POLICY, "summary": "Main", "self": "https://…", "html_url": None},
    "acknowledgement_timeout": None,
    "alert_grouping_parameters": {"type": None},
}


def service(**more: Any) -> dict[str, Any]:
    return document_of("services", {**SERVICE, **more})


def test_what_follows_from_other_things_or_changes_by_itself_is_not_kept() -> None:
    kept = {name: value for name, value in service().items() if value is not None}

    assert kept == {"name": "Shop", "status": "active", "escalation_policy": POLICY}


def test_that_a_service_is_disabled_is_kept() -> None:
    assert service(status="disabled")["status"] == "disabled"


@pytest.mark.parametrize(
    ("shown", "kept"),
    [
        ({"id": "PGROUP1", "type": "content_based"}, None),
        ({"type": "time", "config": {"timeout": 120}}, {"type": "time", "config": {"timeout": 120}}),
    ],
)
def test_grouping_that_a_service_shares_is_kept_with_the_setting_alone(shown: Any, kept: Any) -> None:
    assert service(alert_grouping_parameters=shown)["alert_grouping_parameters"] == kept


def test_what_people_fill_as_they_like_is_kept_as_it_is() -> None:
    config = {"summary": "kept", "self": "kept", "version": 2}

    assert document_of("extensions", {"id": "PX00001", "config": config})["config"] == config


def test_the_layers_of_a_schedule_come_in_the_order_in_which_they_are_made() -> None:
    layers = [{"id": "P2", "name": "second", "rendered_schedule_entries": []}, {"id": "P1", "name": "first"}]

    kept = document_of("schedules", {"id": "PSCHED1", "schedule_layers": layers})["schedule_layers"]

    assert kept == [{"id": "P1", "name": "first"}, {"id": "P2", "name": "second"}]


def test_a_webhooks_secret_is_not_kept() -> None:
    method = {"id": "PM00001", "url": "https://example.com/hook", "secret": "s3cret", "custom_headers": []}
    raw = {"id": "PWH0001", "active": True, "events": ["b", "a"], "delivery_method": method}

    kept = document_of("webhook_subscriptions", raw)

    assert kept == {"active": True, "events": ["a", "b"], "url": "https://example.com/hook", "custom_headers": []}


def test_null_empty_and_absent_are_the_same() -> None:
    assert differing("teams", {"name": "a", "description": None}, {"name": "a", "description": ""}) == []
    assert differing("teams", {"name": "a"}, {"name": "b", "description": "c"}) == ["description", "name"]


def test_one_moment_is_the_same_in_any_zone() -> None:
    one, other = {"start_time": "2026-01-05T09:00:00+01:00"}, {"start_time": "2026-01-05T08:00:00Z"}

    assert differing("maintenance_windows", one, other) == []


def test_the_numbers_of_parts_and_orders_without_meaning_are_no_difference() -> None:
    rules = [{"id": "PR1", "escalation_delay_in_minutes": 5, "targets": []}]
    one = {"escalation_rules": rules, "teams": [{"id": "P1", "type": "team_reference"}]}
    other = {"escalation_rules": [{**rules[0], "id": "PR2"}], "teams": one["teams"]}

    assert differing("escalation_policies", one, other) == []
    assert differing("escalation_policies", one, {**other, "escalation_rules": rules * 2}) == ["escalation_rules"]


def test_an_event_that_had_begun_has_begun_whenever_that_was() -> None:
    past, now, later = ({"effective_since": f"{day}T00:00:00Z"} for day in ("2020-01-01", "2026-11-27", "2027-01-01"))

    assert differing("v3_events", past, now, NOW) == []
    assert differing("v3_events", past, later, NOW) == ["effective_since"]
    assert differing("v3_events", past, now) == ["effective_since"]


def test_a_restore_takes_no_tag_away() -> None:
    one, more = {"labels": ["eu"]}, {"labels": ["eu", "new"]}

    assert differing("tag_assignments", one, more, NOW) == []
    assert differing("tag_assignments", more, one, NOW) == ["labels"]
    assert differing("tag_assignments", one, more) == ["labels"]


def test_people_are_known_by_their_address_in_any_case() -> None:
    assert key_of("users", {"email": "Ada@Example.com"}) == key_of("users", {"email": "ada@example.com"})


def test_what_belongs_to_nobody_has_no_name() -> None:
    assert key_of("contact_methods", {"user": None, "address": "a@example.com"}) is None


def test_a_window_is_over_when_it_has_ended() -> None:
    assert is_over("maintenance_windows", {"end_time": "2026-11-26T00:00:00Z"}, NOW)
    assert not is_over("maintenance_windows", {"end_time": "2026-11-28T00:00:00Z"}, NOW)


def test_a_disabled_service_is_made_active_and_a_time_out_that_is_off_is_said() -> None:
    body = new_body("services", service(status="disabled"))

    assert body["status"] == "active"
    assert body["acknowledgement_timeout"] is None
    assert "alert_grouping_parameters" not in body  # whoever sends it leaves the setting it shares


def test_grouping_of_its_own_is_taken_back_only_where_there_is_one() -> None:
    own = service(alert_grouping_parameters={"type": "time", "config": {"timeout": 120}})

    assert "alert_grouping_parameters" not in changed_body("services", service(), service(name="Old"), NOW)
    assert changed_body("services", service(), own, NOW)["alert_grouping_parameters"] == {"type": None}


def test_a_layer_that_is_not_in_the_backup_ends_now() -> None:
    layer = {"id": "P1", "name": "first", "end": None}
    before = {"schedule_layers": [layer, {**layer, "id": "P2", "name": "second"}]}

    body = changed_body("schedules", {"schedule_layers": [layer]}, before, NOW)

    assert [(one["id"], one["end"]) for one in body["schedule_layers"]] == [("P2", NOW.isoformat()), ("P1", None)]


def test_parts_of_another_account_take_the_places_of_those_that_are_there() -> None:
    rules = [{"id": "POLD", "escalation_delay_in_minutes": 5, "targets": []}]
    before = {"escalation_rules": [{**rules[0], "id": "PNEW", "escalation_delay_in_minutes": 9}]}

    body = changed_body("escalation_policies", {"escalation_rules": rules}, before, NOW)

    assert body["escalation_rules"] == [{**rules[0], "id": "PNEW"}]


def test_headers_whose_values_nobody_knows_are_not_sent() -> None:
    headers = [{"name": "x-a", "value": "-- redacted --"}, {"name": "x-b", "value": "known"}]
    document = {"url": "https://example.com", "custom_headers": headers, "events": ["incident.triggered"]}

    method = new_body("webhook_subscriptions", document)["delivery_method"]

    assert method == {"type": "http_delivery_method", "url": "https://example.com", "custom_headers": headers[1:]}
