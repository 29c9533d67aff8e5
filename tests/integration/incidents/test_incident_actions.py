"""What can be done to incidents, on the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tasks.incidents.wishes import InvalidActionError, wish_of
from tests.integration.incidents.kit import OTHER_KEY, outcomes

if TYPE_CHECKING:
    from tests.integration.incidents.kit import Ward


def test_incidents_are_acknowledged_and_resolved_with_an_answer_for_each(ward: Ward) -> None:
    ids = ward.trigger("a", "b", "c")

    acknowledged = ward.act("acknowledge", ids, "r1")
    resolved = ward.act("resolve", ids[:2], "r2")

    assert [(one.outcome, one.id, one.number) for one in acknowledged.answers] == [
        ("done", incident_id, number) for number, incident_id in enumerate(ids, 1)
    ]
    assert (outcomes(resolved), resolved.state) == (["done", "done"], "done")
    assert [ward.status(one) for one in ids] == ["resolved", "resolved", "acknowledged"]


def test_incidents_are_named_by_id_number_address_or_dedup_key(ward: Ward) -> None:
    a, b, c, d = ward.trigger("a", "b", "disk/7", "42")
    page = f"https://example.pagerduty.com/incidents/{b}"

    report = ward.act("acknowledge", [a, page, "disk/7", "key:42", "#1"])

    assert [one.id for one in report.answers] == [a, b, c, d, a]
    assert all(ward.status(one) == "acknowledged" for one in (a, b, c, d))


def test_a_key_means_the_open_incident_and_two_open_ones_must_be_told_apart(ward: Ward) -> None:
    [first] = ward.trigger("disk")
    ward.act("resolve", first, "r1")
    [second] = ward.trigger("disk")
    assert ward.act("note", "disk", "r2", note="hello").answers[0].id == second

    [third] = ward.trigger("disk", key=OTHER_KEY)
    [answer] = ward.act("note", "disk", "r3", note="hello").answers

    assert answer.outcome == "failed"
    assert second in answer.why
    assert third in answer.why


def test_one_bad_name_keeps_none_of_the_others_from_being_done(ward: Ward) -> None:
    a, b = ward.trigger("a", "b")

    report = ward.act("resolve", [a, "nothing-like-it", "PNOTHERE", b])

    assert outcomes(report) == ["done", "failed", "failed", "done"]
    assert report.state == "failed"
    assert "no incident of the key 'nothing-like-it'" in report.answers[1].why
    assert [ward.status(one) for one in (a, b)] == ["resolved", "resolved"]


def test_what_pagerduty_refuses_for_one_incidents_sake_is_done_to_all_others(ward: Ward) -> None:
    ids = ward.trigger("a", "b", "c", "d", "e")
    ward.act("resolve", ids[3], "r1")

    report = ward.act("update", ids, "r2", escalation_level=1)

    assert outcomes(report) == ["done", "done", "done", "failed", "done"]
    assert "Resolved" in report.answers[3].why


def test_a_resolved_incident_is_never_reopened_by_an_acknowledge(ward: Ward) -> None:
    [a] = ward.trigger("a")
    ward.act("resolve", a, "r1")

    [answer] = ward.act("acknowledge", a, "r2").answers

    assert (answer.outcome, answer.why) == ("already", "it is resolved; to acknowledge it would reopen it")
    assert ward.status(a) == "resolved"


def test_more_incidents_than_fit_into_a_call_are_done_in_several(ward: Ward) -> None:
    ward.sandbox.control("POST", "/limits", {"events_per_minute": None})
    ward.sandbox.register("A" * 32, "shop")
    for number in range(300):
        event = {
            "routing_key": "A" * 32,
            "event_action": "trigger",
            "dedup_key": str(number),
            "payload": {"summary": "s", "source": "w", "severity": "info"},
        }
        ward.sandbox.http.post("/v2/enqueue", json=event).raise_for_status()
    ids = [str(one["id"]) for one in ward.rest.incidents.list(date_range="all")]
    ward.sandbox.clear_log()

    report = ward.act("acknowledge", ids)

    assert outcomes(report) == ["done"] * 300
    assert ward.requests("PUT", "/incidents") == 2


def test_a_note_is_left_where_it_was_done_and_nowhere_else(ward: Ward) -> None:
    [a] = ward.trigger("a")

    report = ward.act("acknowledge", [a, "PNOTHERE"], note="on it")

    assert [(one.outcome, one.note) for one in report.answers] == [("done", "done"), ("failed", "")]
    assert ward.notes(a) == ["on it"]


def test_a_snoozed_incident_triggers_anew_when_its_time_is_over(ward: Ward) -> None:
    [a] = ward.trigger("a")

    report = ward.act("snooze", a, seconds=7200)

    assert outcomes(report) == ["done"]
    assert ward.status(a) == "acknowledged"
    ward.sandbox.control("POST", "/clock", {"advance_seconds": 7201})
    assert ward.status(a) == "triggered"


def test_incidents_are_merged_into_one_that_takes_over_their_alerts(ward: Ward) -> None:
    a, b, c = ward.trigger("a", "b", "c")

    report = ward.act("merge", [b, "c"], into="a")

    assert outcomes(report) == ["done", "done"]
    assert [ward.status(one) for one in (a, b, c)] == ["triggered", "resolved", "resolved"]
    assert {alert["alert_key"] for alert in ward.rest.incidents.alerts(a)} == {"a", "b", "c"}


def test_an_incident_is_created_once_for_each_key_and_request(ward: Ward) -> None:
    ward.trigger("a")
    shop = ward.service_id()

    first = ward.act("create", request_id="r1", title="Down", service=shop, body="all of it", urgency="low").answers[0]
    keyed = ward.act("create", request_id="r2", title="Down", service=shop, key="down").answers[0]
    again = ward.act("create", request_id="r3", title="Down", service=shop, key="down").answers[0]

    made = ward.rest.incidents.get(first.id, include=["body"])
    assert (made["title"], made["urgency"], made["service"]["id"]) == ("Down", "low", shop)
    assert first.id != keyed.id
    assert (again.outcome, again.id) == ("done", keyed.id)


def test_incidents_go_to_other_people_and_change_their_looks(ward: Ward) -> None:
    [a] = ward.trigger("a")
    user = ward.rest.users.create({"type": "user", "name": "Ada", "email": "ada@example.com"})
    ward.rest.users.create({"type": "user", "name": "Bot", "email": "bot@example.com"})

    reassigned = ward.act("reassign", a, "r1", users=[user["id"]])
    updated = ward.act("update", a, "r2", title="Everything", urgency="low", status_update="we are on it")

    incident = ward.rest.incidents.get(a)
    assert (outcomes(reassigned), outcomes(updated)) == (["done"], ["done"])
    assert updated.answers[0].status_update == "done"
    assert (incident["title"], incident["urgency"]) == ("Everything", "low")
    assert incident["assignments"][0]["assignee"]["id"] == user["id"]


@pytest.mark.parametrize(
    ("verb", "asked", "fault"),
    [
        ("acknowledge", {}, "no incident is named"),
        ("note", {"targets": ["a"]}, "'note' is missing"),
        ("snooze", {"targets": ["a"]}, "'seconds' is missing"),
        ("snooze", {"targets": ["a"], "seconds": 10**6}, "'seconds': Input should be less than or equal to 604800"),
        ("merge", {"targets": ["a"]}, "'into' is missing"),
        ("merge", {"targets": ["a"], "into": "a"}, "a cannot be merged into itself"),
        ("reassign", {"targets": ["a"]}, "nobody is named"),
        ("reassign", {"targets": ["a"], "users": ["P1"], "escalation_policy": "P2"}, "both users and an escalation"),
        ("update", {"targets": ["a"]}, "nothing is to be changed"),
        ("create", {"service": "P1"}, "'title' is missing"),
        ("create", {"title": "t"}, "'service' is missing"),
        ("resolve", {"targets": ["a"], "statuss": "x"}, "'statuss': Extra inputs are not permitted"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(
    verb: str, asked: dict[str, object], fault: str
) -> None:
    with pytest.raises(InvalidActionError, match=fault):
        wish_of(verb, **asked)
