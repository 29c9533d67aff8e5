from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.formatters import json_bytes
from tasks.utils.validators import MAX_ALERT_BYTES, check_alert
from tests.searching import searched

PAYLOAD: dict[str, Any] = {"summary": "disk full", "source": "db-1", "severity": "error"}
TRIGGER: dict[str, Any] = {"service": "web", "event_action": "trigger", "dedup_key": "k", "payload": PAYLOAD}


def trigger(**changes: Any) -> dict[str, Any]:
    return {**TRIGGER, **changes}


def with_payload(**changes: Any) -> dict[str, Any]:
    return trigger(payload={**PAYLOAD, **changes})


def errors_of(alert: object) -> list[str]:
    with pytest.raises(InvalidAlertError) as caught:
        check_alert(alert)
    return caught.value.errors


def test_a_good_alert_passes_as_it_is_and_the_callers_own_is_not_touched() -> None:
    alert = with_payload(severity="Warning ", custom_details={"a": 1})
    alert["team"] = "kept although unknown"

    checked = check_alert(alert)

    assert checked.adaptations == ()
    assert checked.alert == {**alert, "payload": {**alert["payload"], "severity": "warning"}}
    assert alert["payload"]["severity"] == "Warning "


@pytest.mark.parametrize("alert", [None, [], "x", 5])
def test_what_is_no_object_is_refused(alert: object) -> None:
    assert "must be a JSON object" in errors_of(alert)[0]


@pytest.mark.parametrize(
    ("alert", "error"),
    [
        (trigger(event_action=None), "'event_action' is missing or blank; use trigger, acknowledge or resolve"),
        (trigger(event_action="page"), "'event_action' is unknown; use trigger, acknowledge or resolve"),
        (trigger(event_action=["trigger"]), "'event_action' is unknown; use trigger, acknowledge or resolve"),
        (trigger(payload=None), "'payload' is missing or no object; give summary and source"),
        (with_payload(summary=None), "'payload.summary' is missing, blank or no text"),
        (with_payload(summary=" \n"), "'payload.summary' is missing, blank or no text"),
        (with_payload(summary=5), "'payload.summary' is missing, blank or no text"),
        (with_payload(source=5), "'payload.source' must be text"),
        (with_payload(group=[1]), "'payload.group' must be text"),
        (trigger(client=5), "'client' must be text"),
        (trigger(links={}), "'links' must be a list of objects with href"),
        (trigger(images=[{"href": "x"}]), "'images' must be a list of objects with src"),
        (trigger(dedup_key=5), "'dedup_key' must be text"),
        (trigger(dedup_key="x" * 10_001), "'dedup_key' is too long (maximum is 10000 characters)"),
        (trigger(service=" "), "'service' must be the name of a service; leave it out for the default service"),
    ],
)
def test_a_fault_is_named_with_its_mend(alert: dict[str, Any], error: str) -> None:
    assert errors_of(alert) == [error]


def test_all_faults_are_named_at_once() -> None:
    errors = errors_of({"service": 5, "event_action": "trigger", "dedup_key": 7, "client": 1, "payload": {"class": 1}})

    assert [error.split("'")[1] for error in errors] == [
        "service",
        "dedup_key",
        "payload.class",
        "payload.summary",
        "client",
    ]


def test_a_routing_key_in_a_task_message_is_refused_without_repeating_it() -> None:
    [error] = errors_of({**TRIGGER, "service": None, "routing_key": "s3cret"})

    assert "name the 'service'" in error
    assert "s3cret" not in error
    assert "routing_key" not in check_alert(trigger(routing_key="s3cret")).alert


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_acknowledge_and_resolve_need_a_dedup_key_and_nothing_else(action: str) -> None:
    assert check_alert({"event_action": action, "dedup_key": "k"}).adaptations == ()
    assert "'dedup_key' is missing or blank" in errors_of({"event_action": action, "dedup_key": ""})[0]


@pytest.mark.parametrize("payload", [5, {"summary": 5}, {"severity": "odd"}, {"source": []}, {"group": 1}])
def test_no_payload_is_a_reason_to_refuse_a_resolve(payload: Any) -> None:
    checked = check_alert({"event_action": "resolve", "dedup_key": "k", "payload": payload})

    assert checked.adaptations == ("fields_dropped",)
    assert not checked.alert.get("payload")


def test_a_missing_or_empty_dedup_key_of_a_trigger_is_left_to_the_caller() -> None:
    for key in (None, ""):
        assert "dedup_key" not in check_alert(trigger(dedup_key=key)).alert


@pytest.mark.parametrize(
    ("alert", "name", "field", "value"),
    [
        (with_payload(severity="disaster"), "severity_replaced", "severity", "critical"),
        (with_payload(severity=None), "severity_replaced", "severity", "critical"),
        (with_payload(severity=3), "severity_replaced", "severity", "critical"),
        (with_payload(source=None), "source_filled", "source", "unknown"),
        (with_payload(source="  "), "source_filled", "source", "unknown"),
        (with_payload(source="h" * 2000), "source_cut", "source", "h" * 1023 + "…"),
        (with_payload(summary="é" * 2000), "summary_cut", "summary", "é" * 1023 + "…"),
        (with_payload(custom_details="text"), "details_wrapped", "custom_details", {"details": "text"}),
        (with_payload(custom_details={"n": float("inf")}), "values_repaired", "custom_details", {"n": "inf"}),
        (with_payload(summary="a\ud800b"), "values_repaired", "summary", "a?b"),
    ],
)
def test_a_slip_is_mended_by_name_and_costs_no_page(alert: dict[str, Any], name: str, field: str, value: Any) -> None:
    checked = check_alert(alert)

    assert checked.adaptations == (name,)
    assert checked.alert["payload"][field] == value


def test_half_a_character_in_a_dedup_key_is_refused_since_another_key_is_another_incident() -> None:
    assert "send whole characters" in errors_of(trigger(dedup_key="\ud800"))[0]


def test_dates_of_a_python_producer_become_text() -> None:
    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)

    assert check_alert(with_payload(timestamp=at)).alert["payload"]["timestamp"] == "2026-01-02T03:04:00+00:00"


def test_600_kb_of_details_are_shrunk_and_the_small_ones_stay_whole() -> None:
    checked = check_alert(with_payload(custom_details={"log": "x" * 600_000, "dump": ["y"] * 5_000, "host": "db-1"}))

    assert checked.adaptations == ("details_shrunk",)
    details = checked.alert["payload"]["custom_details"]
    assert 500_000 < json_bytes(checked.alert) <= MAX_ALERT_BYTES
    assert (details["host"], details["dump"]) == ("db-1", ["y"] * 5_000)
    assert details["_tocsin"]["bytes_before"] == {"log": 600_002}


@pytest.mark.parametrize(
    "alert",
    [
        trigger(links=[{"href": "x" * 600_000}]),
        trigger(extra=["x"] * 200_000),
        with_payload(**{f"field{n}": "x" * 50 for n in range(20_000)}),
    ],
)
def test_what_makes_an_alert_too_large_beside_its_details_is_left_out(alert: dict[str, Any]) -> None:
    checked = check_alert(alert)

    assert checked.adaptations == ("fields_dropped",)
    assert checked.alert == TRIGGER


def test_a_second_check_finds_nothing_more_and_keeps_what_the_first_one_named() -> None:
    first = check_alert(with_payload(summary="x" * 2000, severity="odd", custom_details={"log": "x" * 600_000}))

    second = check_alert({**first.alert, "adaptations": [*first.adaptations, "made up"]})

    assert second == first


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part, max_size=3),
    max_leaves=10,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("service", "dedup_key", "payload", "client", "links", "images", "adaptations"), ANY_JSON),
)


@searched(40)
@given(action=st.sampled_from(["trigger", "acknowledge", "resolve", "x"]), fields=FIELDS, payload=ANY_JSON)
def test_any_json_is_either_refused_with_reasons_or_fit_to_send(
    action: str, fields: dict[str, Any], payload: Any
) -> None:
    extra = payload if isinstance(payload, dict) else {"custom_details": payload}
    try:
        checked = check_alert({"event_action": action, "payload": {**PAYLOAD, **extra}, **fields})
    except InvalidAlertError:
        return
    assert json_bytes(checked.alert) <= MAX_ALERT_BYTES
    assert check_alert({**checked.alert, "adaptations": list(checked.adaptations)}) == checked


def test_a_change_event_needs_a_summary_alone() -> None:
    checked = check_alert({"event_action": "change", "dedup_key": "of no use", "payload": {"summary": "deployed"}})

    assert checked.alert == {"event_action": "change", "payload": {"summary": "deployed"}}
    assert checked.adaptations == ()


@pytest.mark.parametrize("payload", [None, {}, {"summary": ""}, {"summary": "x", "timestamp": 5}, "x"])
def test_a_change_event_is_refused_for_its_content(payload: object) -> None:
    with pytest.raises(InvalidAlertError):
        check_alert({"event_action": "change", "payload": payload})
