"""Alerts without an incident of their own: grouped, suppressed, or in maintenance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.incident_kit import ALICE, DB, MINUTE, WEB, Desk, account, reference
from tests.integration.sandbox.kit import KEY, OTHER_KEY, event

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def desk(sandbox: SandboxProcess) -> Desk:
    sandbox.control("PUT", "/account", account())
    return Desk(sandbox)


def group(desk: Desk, way: str, **config: object) -> None:
    desk.sandbox.control("PUT", "/account", account({"alert_grouping_parameters": {"type": way, "config": config}}))


def incidents_of(desk: Desk) -> list[int]:
    """How many alerts each incident has."""
    return [one["alert_counts"]["all"] for one in desk.sandbox.incidents()]


def outcome(desk: Desk, body: dict[str, Any]) -> str:
    assert desk.sandbox.enqueue(body).status_code == 202
    return str(desk.sandbox.last()["outcome"])


def test_by_time_alerts_join_the_open_incident_until_its_time_is_over(desk: Desk) -> None:
    group(desk, "time", timeout=5)

    assert outcome(desk, event(dedup_key="a")) == "opened"
    desk.sandbox.advance(4 * MINUTE)
    assert outcome(desk, event(dedup_key="b")) == "grouped"
    desk.sandbox.advance(2 * MINUTE)
    assert outcome(desk, event(dedup_key="c")) == "opened"
    assert incidents_of(desk) == [2, 1]


def test_a_grouped_incident_says_so_and_is_found_by_each_of_its_keys(desk: Desk) -> None:
    group(desk, "time", timeout=0)
    for key in ("a", "b"):
        desk.sandbox.enqueue(event(dedup_key=key))

    for key in ("a", "b"):
        (incident,) = desk.sandbox.incidents(incident_key=key)
        assert incident["alert_grouping"]["grouping_type"] == "basic"
    alerts = desk.sandbox.get(f"/incidents/{incident['id']}/alerts")["alerts"]
    assert [one["alert_key"] for one in alerts] == ["a", "b"]


def test_a_group_ends_when_its_last_alert_is_resolved(desk: Desk) -> None:
    group(desk, "time", timeout=0)
    for key in ("a", "b"):
        desk.sandbox.enqueue(event(dedup_key=key))

    desk.sandbox.enqueue(event("resolve", dedup_key="a"))
    assert [one["status"] for one in desk.sandbox.incidents()] == ["triggered"]
    desk.sandbox.enqueue(event("resolve", dedup_key="b"))
    assert [one["status"] for one in desk.sandbox.incidents()] == ["resolved"]
    assert outcome(desk, event(dedup_key="c")) == "opened"


def test_intelligent_grouping_goes_by_the_time_between_alerts(desk: Desk) -> None:
    group(desk, "intelligent", time_window=300)

    seen = []
    for key in ("a", "b", "c"):
        seen.append(outcome(desk, event(dedup_key=key)))
        desk.sandbox.advance(4 * MINUTE)
    desk.sandbox.advance(2 * MINUTE)
    seen.append(outcome(desk, event(dedup_key="d")))

    assert seen == ["opened", "grouped", "grouped", "opened"]


@pytest.mark.parametrize(("aggregate", "expected"), [("all", [2, 1, 1]), ("any", [3, 1])])
def test_by_content_alerts_join_those_they_share_fields_with(desk: Desk, aggregate: str, expected: list[int]) -> None:
    group(desk, "content_based", aggregate=aggregate, fields=["component", "custom_details.rack"], time_window=300)
    for number, (component, rack) in enumerate((("disk", "r1"), ("disk", "r1"), ("disk", "r2"), ("fan", "r3"))):
        desk.sandbox.enqueue(event(dedup_key=f"k{number}", component=component, custom_details={"rack": rack}))

    assert incidents_of(desk) == expected


def test_a_setting_groups_across_services(desk: Desk) -> None:
    setting = {
        "id": "PSETTIN",
        "type": "time",
        "config": {"timeout": 300},
        "services": [reference("service", DB), reference("service", WEB)],
    }
    desk.sandbox.control("PUT", "/account", account(alert_grouping_settings=[setting]))

    assert [outcome(desk, event(dedup_key="a", key=key)) for key in (KEY, OTHER_KEY)] == ["opened", "grouped"]
    assert incidents_of(desk) == [2]


def test_without_grouping_every_alert_has_its_own_incident(desk: Desk) -> None:
    assert [outcome(desk, event(dedup_key=key)) for key in ("a", "b")] == ["opened", "opened"]


def test_a_suppressed_alert_has_no_incident_and_calls_nobody(desk: Desk) -> None:
    desk.sandbox.control("POST", "/suppressions", {"service": "db", "summary": "test"})

    assert outcome(desk, event(dedup_key="a", summary="a test")) == "suppressed"
    assert outcome(desk, event(dedup_key="b", summary="no t.")) == "opened"
    assert desk.sandbox.control("GET", "/state")["alerts"] == {"open": 2, "suppressed": 1}
    assert outcome(desk, event("acknowledge", dedup_key="a")) == "acknowledged"
    assert outcome(desk, event("resolve", dedup_key="a")) == "resolved"
    assert outcome(desk, event("resolve", dedup_key="a")) == "dropped"
    assert len(desk.sandbox.incidents()) == 1


def test_suppressions_come_with_the_account_and_go(desk: Desk) -> None:
    given = account(suppressions=[{"severity": "info"}])
    desk.sandbox.control("PUT", "/account", given)

    assert outcome(desk, event(dedup_key="a", severity="info")) == "suppressed"
    assert desk.sandbox.control("GET", "/account")["suppressions"] == [{"severity": "info"}]
    desk.sandbox.control("DELETE", "/suppressions")
    assert outcome(desk, event(dedup_key="b", severity="info")) == "opened"


def test_in_maintenance_triggers_are_taken_and_nothing_is_opened(desk: Desk) -> None:
    now = datetime.fromtimestamp(desk.sandbox.control("GET", "/clock")["now"], UTC)
    window = {
        "type": "maintenance_window",
        "start_time": now.isoformat(),
        "end_time": (now + timedelta(hours=1)).isoformat(),
        "services": [reference("service", DB)],
        "created_by": reference("user", ALICE),
    }
    desk.sandbox.control("PUT", "/account", account(maintenance_windows=[window]))

    assert outcome(desk, event(dedup_key="a")) == "maintenance"
    assert outcome(desk, event(dedup_key="a", key=OTHER_KEY)) == "opened"
    body = {"incident": {"type": "incident", "title": "by hand", "service": reference("service", DB)}}
    assert desk.refused("POST", "/incidents", body)[0] == 2001
    desk.sandbox.advance(61 * MINUTE)
    assert outcome(desk, event("resolve", dedup_key="a")) == "dropped"
    assert outcome(desk, event(dedup_key="a")) == "opened"


def test_a_disabled_service_opens_nothing(desk: Desk) -> None:
    desk.sandbox.control("PUT", "/account", account({"status": "disabled"}))

    assert outcome(desk, event()) == "maintenance"
