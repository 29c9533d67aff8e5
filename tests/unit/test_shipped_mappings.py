"""What each sender's documents become, by the mappings that come with Tocsin."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.mapping_files import load_mapping, mapping_paths
from tasks.utils.data_transformer import Ignored
from tasks.utils.validators import CheckedAlert
from tasks.utils.webhook_processor import Result, WebhookProcessor

DATA = Path(__file__).parents[1] / "data" / "webhooks"
ALARM = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout-5xx"
ALARM_SUMMARY = "checkout-5xx: Too many failed checkouts"
PROCESSOR = WebhookProcessor({name: load_mapping(path, {}) for name, path in mapping_paths(Path("/none")).items()})


def document(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


def results(name: str, body: Any, headers: dict[str, str] | None = None) -> list[Result]:
    return PROCESSOR.process(name, body, headers, "web")


def alert(name: str, body: Any) -> dict[str, Any]:
    [result] = results(name, body)
    assert isinstance(result, CheckedAlert)
    assert result.adaptations == ()
    return result.alert


@pytest.mark.parametrize(
    ("mapping", "sample", "action", "key", "severity", "summary", "source"),
    [
        *(
            ("datadog", f"datadog_{end}", action, "datadog/9c1f0d2ab7e94e13b5a0c7d4e6f81a22", "error", summary, "db-1")
            for end, action, summary in (
                ("triggered", "trigger", "[Triggered on {host:db-1}] Disk is nearly full"),
                ("recovered", "resolve", "[Recovered on {host:db-1}] Disk is nearly full"),
            )
        ),
        *(
            ("sentry", f"sentry_{end}", action, "sentry/issue/1117540176", "critical", summary, source)
            for end, action, summary, source in (
                ("event_alert", "trigger", "ZeroDivisionError: division by zero", "web-3"),
                ("issue_resolved", "resolve", "ZeroDivisionError: division by zero", "shop"),
            )
        ),
        *(
            ("sentry", f"sentry_metric_{end}", action, "sentry/metric/81", severity, summary, "shop, payments")
            for end, action, severity, summary in (
                ("critical", "trigger", "critical", "Critical: Too many errors"),
                ("resolved", "resolve", "info", "Resolved: Too many errors"),
            )
        ),
        *(
            (
                "cloudwatch_sns",
                f"cloudwatch_sns_{end}",
                action,
                ALARM,
                severity,
                ALARM_SUMMARY,
                "app/shop/50dc6c495c0c9188",
            )
            for end, action, severity in (("alarm", "trigger", "critical"), ("ok", "resolve", "info"))
        ),
        ("generic", "generic_flat", "trigger", "96eea461827aaca058f202af41183018", "warning", "Backup failed", "db-2"),
    ],
)
def test_a_trigger_and_what_resolves_it_share_a_key(  # noqa: PLR0917
    mapping: str, sample: str, action: str, key: str, severity: str, summary: str, source: str
) -> None:
    made = alert(mapping, document(sample))

    assert (made["service"], made["event_action"], made["dedup_key"]) == ("web", action, key)
    assert {name: made["payload"][name] for name in ("severity", "summary", "source")} == {
        "severity": severity,
        "summary": summary,
        "source": source,
    }
    assert made["payload"]["timestamp"].startswith("2026-01-")
    assert made["payload"]["custom_details"]


@pytest.mark.parametrize(
    ("transition", "action"),
    [
        ("Triggered", "trigger"),
        ("Re-Triggered", "trigger"),
        ("Warn", "trigger"),
        ("No Data", "trigger"),
        ("Renotify", "trigger"),
        ("Recovered", "resolve"),
        ("A new word", "trigger"),
        ("", "trigger"),
    ],
)
def test_every_transition_of_datadog_is_known_and_a_new_one_pages(transition: str, action: str) -> None:
    assert alert("datadog", document("datadog_triggered") | {"transition": transition})["event_action"] == action


def test_datadog_without_an_aggregation_key_is_told_apart_by_monitor_and_scope() -> None:
    body = document("datadog_triggered") | {"aggregation_key": ""}

    assert alert("datadog", body)["dedup_key"] == "datadog/61234/host:db-1"


@pytest.mark.parametrize(
    ("state", "action"), [("INSUFFICIENT_DATA", "trigger"), ("ALARM", "trigger"), ("OK", "resolve")]
)
def test_every_state_of_a_cloudwatch_alarm_is_known(state: str, action: str) -> None:
    body = document("cloudwatch_sns_alarm")
    body["Message"] = json.dumps(json.loads(body["Message"]) | {"NewStateValue": state})

    assert alert("cloudwatch_sns", body)["event_action"] == action


def test_a_message_of_a_topic_that_is_no_alarm_still_pages() -> None:
    made = alert("cloudwatch_sns", document("cloudwatch_sns_plain"))

    assert made["payload"]["summary"] == "Import"
    assert made["payload"]["custom_details"]["message"] == "The nightly import did not finish."


def test_each_alert_of_a_grafana_group_is_one() -> None:
    made = [each.alert for each in results("grafana", document("grafana_group")) if isinstance(each, CheckedAlert)]

    assert [(each["event_action"], each["dedup_key"]) for each in made] == [
        ("trigger", "grafana/57c6d9296de2ad39"),
        ("resolve", "grafana/8a1d4c2b6f7e9035"),
    ]
    assert made[0]["links"] == [
        {"href": "https://grafana.example/alerting/silence/new", "text": "Silence it in Grafana"}
    ]
    assert "links" not in made[1]


@pytest.mark.parametrize(
    ("mapping", "sample", "changes", "headers", "rule"),
    [
        ("datadog", "datadog_triggered", {"title": "[TEST] x"}, {}, "test notification"),
        ("sentry", "sentry_issue_resolved", {}, {"sentry-hook-resource": "installation"}, "installation"),
        ("sentry", "sentry_issue_resolved", {}, {"Sentry-Hook-Resource": "comment"}, "comment"),
        ("sentry", "sentry_event_alert", {}, {"Sentry-Hook-Resource": "error"}, "single error"),
        ("sentry", "sentry_issue_resolved", {"action": "assigned"}, {}, "assigned"),
        ("cloudwatch_sns", "cloudwatch_sns_plain", {"Type": "UnsubscribeConfirmation"}, {}, "unsubscribed"),
    ],
)
def test_what_is_no_alert_is_ignored_by_name(
    mapping: str, sample: str, changes: dict[str, str], headers: dict[str, str], rule: str
) -> None:
    assert results(mapping, document(sample) | changes, headers) == [Ignored(rule)]
