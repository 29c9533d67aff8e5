from typing import Any

import pytest

from tasks.alerts.parsing import (
    alertmanager_entries,
    from_alertmanager,
    from_change,
    from_event,
    from_v1,
    in_words_of_v1,
)
from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.validators import check_alert

ENTRY: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "severity": "warning", "instance": "db-1:9100", "job": "node", "service": "db"},
    "annotations": {"summary": "disk full on db-1", "runbook_url": "http://runbooks/disk"},
    "startsAt": "2026-01-02T03:04:05.678Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus:9090/graph?g0",
    "fingerprint": "1a30ba71cca2921f",
}
WEBHOOK: dict[str, Any] = {"version": "4", "groupKey": "{}:{}", "externalURL": "http://am:9093", "alerts": [ENTRY]}


def parsed(**changes: Any) -> dict[str, Any]:
    return from_alertmanager({**ENTRY, **changes}, WEBHOOK, "web")


def labelled(**labels: Any) -> dict[str, Any]:
    return parsed(labels={"alertname": "DiskFull", **labels})


def test_an_event_keeps_its_fields_and_changes_its_key_for_the_service() -> None:
    body = {"routing_key": "secret", "service": "forged", "event_action": "trigger", "odd": 1}

    assert from_event(body, "web") == {"service": "web", "event_action": "trigger", "odd": 1}


def test_an_alertmanager_alert_is_a_whole_alert_that_needs_no_mending() -> None:
    alert = from_alertmanager(ENTRY, WEBHOOK, "web")

    assert alert == {
        "service": "web",
        "event_action": "trigger",
        "dedup_key": "alertmanager/1a30ba71cca2921f",
        "payload": {
            "summary": "disk full on db-1",
            "source": "db-1:9100",
            "severity": "warning",
            "timestamp": "2026-01-02T03:04:05.678Z",
            "class": "DiskFull",
            "component": "db",
            "group": "node",
            "custom_details": {"labels": ENTRY["labels"], "annotations": ENTRY["annotations"]},
        },
        "client": "Alertmanager",
        "client_url": "http://am:9093",
        "links": [{"href": "http://prometheus:9090/graph?g0", "text": "Source of the alert"}],
    }
    assert check_alert(alert).adaptations == ()


def test_a_resolved_alert_resolves_under_the_key_that_fired_even_from_another_group() -> None:
    other_group = {**WEBHOOK, "groupKey": "{}/{team}:{}"}

    resolve = from_alertmanager({**ENTRY, "status": "resolved"}, other_group, "web")

    assert resolve["event_action"] == "resolve"
    assert resolve["dedup_key"] == parsed()["dedup_key"]


def test_without_a_fingerprint_the_key_is_made_of_the_labels_in_any_order() -> None:
    one = parsed(fingerprint=None, labels={"a": "1", "b": "2"})["dedup_key"]

    assert parsed(fingerprint="", labels={"b": "2", "a": "1"})["dedup_key"] == one
    assert parsed(fingerprint="", labels={"b": "2", "a": "2"})["dedup_key"] != one


@pytest.mark.parametrize(
    ("label", "severity"),
    [
        ("page", "critical"),
        ("WARN", "warning"),
        ("none", "info"),
        ("", "error"),
        ("critical", "critical"),
        ("odd", "odd"),
    ],
)
def test_the_severity_label_is_understood(label: str, severity: str) -> None:
    assert labelled(severity=label)["payload"]["severity"] == severity


def test_an_unknown_severity_label_is_left_to_the_check_which_takes_no_risk() -> None:
    assert check_alert(labelled(severity="odd")).adaptations == ("severity_replaced",)


@pytest.mark.parametrize(
    ("annotations", "summary"),
    [
        ({"summary": "s", "description": "d"}, "s"),
        ({"summary": " ", "description": "d"}, "d"),
        ({"message": "m"}, "m"),
        ({}, "DiskFull"),
        (None, "DiskFull"),
    ],
)
def test_the_summary_is_the_best_there_is(annotations: Any, summary: str) -> None:
    assert parsed(annotations=annotations)["payload"]["summary"] == summary


def test_an_alert_without_any_name_is_still_an_alert() -> None:
    alert = parsed(labels={"x": 5}, annotations={"summary": None}, startsAt="0001-01-01T00:00:00Z", generatorURL="")

    assert (alert["payload"]["summary"], alert["payload"]["source"]) == ("Alert without a name", "Alertmanager")
    assert alert["payload"]["custom_details"]["labels"] == {"x": "5"}
    assert "timestamp" not in alert["payload"]
    assert "links" not in alert
    assert check_alert(alert).adaptations == ()


def test_odd_characters_in_labels_do_not_stop_a_key_from_being_made() -> None:
    assert check_alert(parsed(fingerprint=None, labels={"a\ud800": "\udfff"})).adaptations == ()


@pytest.mark.parametrize("body", [None, [], {}, {"alerts": None}, {"alerts": {}}])
def test_a_body_without_alerts_is_refused(body: object) -> None:
    with pytest.raises(InvalidAlertError, match="'alerts' is missing"):
        alertmanager_entries(body)


@pytest.mark.parametrize("entry", [None, 5, [], {}, {"labels": []}, {"labels": {}}])
def test_an_entry_without_labels_is_refused(entry: object) -> None:
    with pytest.raises(InvalidAlertError, match="'labels' is missing"):
        from_alertmanager(entry, WEBHOOK, "web")


def test_a_change_event_has_the_action_change_whatever_its_body_says() -> None:
    body = {"routing_key": "secret", "event_action": "trigger", "dedup_key": "x", "payload": {"summary": "deployed"}}

    assert from_change(body, "web") == {
        "service": "web",
        "event_action": "change",
        "payload": {"summary": "deployed"},
    }


@pytest.mark.parametrize(
    ("details", "severity"),
    [
        ({"severity": "Warning"}, "warning"),
        ({"severity": "major"}, "error"),
        ({"severity": "purple"}, "critical"),
        ({"severity": 3}, "critical"),
        ("warning", "critical"),
        (None, "critical"),
    ],
)
def test_an_event_of_v1_is_critical_unless_its_details_name_a_known_severity(details: Any, severity: str) -> None:
    body = {"service_key": "k", "event_type": "trigger", "description": "down", "details": details}

    assert check_alert(from_v1(body, "web")).alert["payload"]["severity"] == severity


def test_an_event_of_v1_needs_no_mending_and_takes_no_field_of_v2_for_its_own() -> None:
    body = {"service_key": "k", "event_type": "resolve", "incident_key": "a", "event_action": "trigger", "links": 5}

    checked = check_alert(from_v1(body, "web"))

    assert checked.adaptations == ()
    assert checked.alert["event_action"] == "resolve"
    assert "links" not in checked.alert


def test_errors_name_the_fields_of_v1() -> None:
    assert in_words_of_v1(["'payload.summary' is missing", "'dedup_key' must be text"]) == [
        "'description' is missing",
        "'incident_key' must be text",
    ]
