"""Each action is done once: however often its message comes, wherever the connection breaks, whoever dies over it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.incidents.rows import ActionRows, LeaseLostError, Step
from tasks.incidents.wishes import wish_of
from tests.integration.incidents.kit import outcomes

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.integration.incidents.kit import Ward

LOST = {"kind": "reset", "ingest": True, "count": 1}  # it arrives, and nobody hears the answer


def passes(ward: Ward, clock: MovableClock, report: Any) -> Any:
    """What a worker makes of it once its time has come."""
    assert report.state == "open"
    clock.advance(timedelta(minutes=2))
    assert ward.service.work().carried == 1
    view = ward.rows.view(report.request_id)
    assert view is not None
    return view


@pytest.mark.parametrize(
    ("verb", "asked"),
    [
        ("note", {"note": "the cable was loose"}),
        ("acknowledge", {"note": "on it"}),
        ("snooze", {"seconds": 3600}),
        ("update", {"status_update": "we are on it"}),
    ],
)
def test_a_second_delivery_of_the_message_does_nothing_and_tells_the_same(
    ward: Ward, verb: str, asked: dict[str, Any]
) -> None:
    [a] = ward.trigger("a")
    first = ward.ask(verb, a, "task-1", **asked)
    ward.sandbox.clear_log()

    second = ward.ask(verb, a, "task-1", **asked)

    assert second == first
    assert (first.state, outcomes(first)) == ("done", ["done"])
    assert ward.sandbox.count() == 0


def test_a_message_that_is_in_other_hands_is_left_to_them(
    ward: Ward, client: Any, keys: Keys, clock: MovableClock
) -> None:
    [a] = ward.trigger("a")
    elsewhere = ActionRows(client, keys).begin("task-1", wish_of("note", a, note="n"), timedelta(hours=1), durable=True)

    assert ward.ask("note", a, "task-1", note="n").answers[0].outcome == "waiting"
    assert ward.notes(a) == []

    clock.advance(timedelta(minutes=2))  # whoever had it has died
    assert ward.service.work().ended == 1
    assert ward.notes(a) == ["n"]
    assert elsewhere.token


def test_whoever_has_lost_the_lease_stops_before_the_next_step(
    ward: Ward, client: Any, keys: Keys, clock: MovableClock
) -> None:
    [a] = ward.trigger("a")
    rows = ActionRows(client, keys)
    mine = rows.begin("task-1", wish_of("note", a, note="n"), timedelta(hours=1), durable=True)
    clock.advance(timedelta(minutes=2))
    theirs = rows.claim()

    with pytest.raises(LeaseLostError):
        rows.keep(mine, "main", {a: Step("tried", id=a)})
    assert theirs is not None
    rows.keep(theirs, "main", {a: Step("tried", id=a)})


def test_a_note_whose_answer_was_lost_is_looked_for_before_it_is_left_again(ward: Ward, clock: MovableClock) -> None:
    [a] = ward.trigger("a")
    ward.sandbox.fault(**LOST, path=f"/incidents/{a}/notes")

    report = ward.ask("note", a, note="the cable was loose")
    view = passes(ward, clock, report)

    assert (report.answers[0].outcome, view.answers[0].outcome, view.state) == ("waiting", "done", "done")
    assert ward.notes(a) == ["the cable was loose"]


def test_a_note_that_never_arrived_is_left_later(ward: Ward, clock: MovableClock) -> None:
    [a] = ward.trigger("a")
    ward.sandbox.fault(kind="reset", ingest=False, count=1, path=f"/incidents/{a}/notes")

    view = passes(ward, clock, ward.ask("note", a, note="the cable was loose"))

    assert view.state == "done"
    assert ward.notes(a) == ["the cable was loose"]


def test_the_note_to_an_action_is_left_once_although_the_action_is_repeated(ward: Ward, clock: MovableClock) -> None:
    [a] = ward.trigger("a")
    ward.sandbox.fault(**LOST, path=f"/incidents/{a}/notes")

    report = ward.ask("acknowledge", a, note="on it")
    assert (report.answers[0].outcome, report.answers[0].note) == ("done", "waiting")
    view = passes(ward, clock, report)

    assert (view.answers[0].outcome, view.answers[0].note) == ("done", "done")
    assert (ward.status(a), ward.notes(a)) == ("acknowledged", ["on it"])


def test_a_snooze_whose_answer_was_lost_is_not_made_longer(ward: Ward, clock: MovableClock) -> None:
    [a] = ward.trigger("a")
    ward.sandbox.fault(**LOST, path=f"/incidents/{a}/snooze")
    report = ward.ask("snooze", a, seconds=3600)
    [before] = [one["at"] for one in ward.rest.incidents.get(a)["pending_actions"] if one["type"] == "unacknowledge"]
    ward.sandbox.control("POST", "/clock", {"advance_seconds": 60})

    view = passes(ward, clock, report)

    [after] = [one["at"] for one in ward.rest.incidents.get(a)["pending_actions"] if one["type"] == "unacknowledge"]
    assert (view.state, after) == ("done", before)


def test_a_merge_whose_answer_was_lost_is_seen_to_have_worked(ward: Ward, clock: MovableClock) -> None:
    a, b, c = ward.trigger("a", "b", "c")
    ward.sandbox.fault(**LOST, path=f"/incidents/{a}/merge")

    view = passes(ward, clock, ward.ask("merge", [b, c], into=a))

    assert (view.state, [one.outcome for one in view.answers]) == ("done", ["done", "done"])
    assert ward.requests("PUT", f"/incidents/{a}/merge") == 1


def test_an_incident_whose_creation_was_not_heard_of_is_found_instead_of_made_twice(
    ward: Ward, clock: MovableClock
) -> None:
    ward.trigger("a")
    shop = ward.service_id()
    ward.sandbox.fault(**LOST, path="/incidents")

    report = ward.ask("create", title="Down", service=shop)
    view = passes(ward, clock, report) if report.state == "open" else ward.rows.view("r1")

    assert view is not None
    made = [one for one in ward.rest.incidents.list(date_range="all") if one["title"] == "Down"]
    assert (view.state, [one["id"] for one in made]) == ("done", [view.answers[0].id])


def test_subscribers_are_not_told_twice_and_somebody_is_told_to_look(ward: Ward, clock: MovableClock) -> None:
    [a] = ward.trigger("a")
    ward.sandbox.fault(**LOST, path=f"/incidents/{a}/status_updates")

    view = passes(ward, clock, ward.ask("update", a, title="Everything", status_update="we are on it"))

    [answer] = view.answers
    assert (view.state, answer.outcome, answer.status_update) == ("failed", "done", "failed")
    assert "subscribers may have got the news or not" in answer.why
    assert ward.requests("POST", f"/incidents/{a}/status_updates") == 1


def test_what_a_task_asks_while_pagerduty_is_away_is_done_when_it_is_back(ward: Ward, clock: MovableClock) -> None:
    ids = ward.trigger("a", "b")
    ward.sandbox.fault(kind="outage")

    report = ward.ask("acknowledge", ids, note="on it")
    assert (report.state, outcomes(report)) == ("open", ["waiting", "waiting"])
    assert report.due is not None
    assert ward.service.work().carried == 0  # not due yet
    ward.sandbox.heal()
    view = passes(ward, clock, report)

    assert view.state == "done"
    assert [ward.status(one) for one in ids] == ["acknowledged", "acknowledged"]
    assert [ward.notes(one) for one in ids] == [["on it"], ["on it"]]


def test_what_cannot_be_done_for_hours_has_failed_and_is_shown_as_such(ward: Ward, clock: MovableClock) -> None:
    [a] = ward.trigger("a")
    ward.sandbox.fault(kind="outage")
    ward.ask("resolve", a)

    clock.advance(timedelta(hours=4))
    assert ward.service.work().ended == 1

    [view] = ward.rows.list(failed_only=True)
    assert (view.request_id, view.verb, view.state, view.tries) == ("r1", "resolve", "failed", 1)
    assert view.answers[0].why.startswith("given up: ")
    assert ward.service.work().carried == 0


def test_what_a_person_asks_while_pagerduty_is_away_fails_at_once(ward: Ward, clock: MovableClock) -> None:
    [a] = ward.trigger("a")
    ward.sandbox.fault(kind="outage")

    report = ward.act("acknowledge", a)

    assert (report.state, report.is_passing, outcomes(report)) == ("failed", True, ["failed"])
    ward.sandbox.heal()
    clock.advance(timedelta(hours=1))
    assert ward.service.work().carried == 0
    assert ward.status(a) == "triggered"


def test_a_throttled_action_waits_as_long_as_it_is_told(ward: Ward, clock: MovableClock) -> None:
    [a] = ward.trigger("a")
    ward.sandbox.fault(kind="throttle", count=1, headers=True)

    report = ward.ask("acknowledge", a)

    assert report.due is not None
    assert timedelta(seconds=25) < report.due - clock.now() < timedelta(seconds=35)


def test_the_record_keeps_what_was_asked_and_by_whom(ward: Ward) -> None:
    [a] = ward.trigger("a")
    ward.act("acknowledge", [a, "PNOTHERE"], "r1", author="ada")
    ward.ask("resolve", a, "r2", author="deploy")

    newest, oldest = ward.rows.list()

    assert (newest.request_id, newest.verb, newest.author, newest.state) == ("r2", "resolve", "deploy", "done")
    assert (oldest.request_id, oldest.author, oldest.state) == ("r1", "ada", "failed")
    assert [one.outcome for one in oldest.answers] == ["done", "failed"]


def test_the_record_forgets_what_ended_a_week_ago(ward: Ward, clock: MovableClock, client: Any, keys: Keys) -> None:
    [a] = ward.trigger("a")
    ward.act("note", a, "old", note="n")
    clock.advance(timedelta(days=7, seconds=1))

    ward.act("note", a, "new", note="n")

    assert [view.request_id for view in ward.rows.list()] == ["new"]
    assert not client.exists(keys.action("old"))


def test_a_command_that_was_killed_is_shown_as_broken_off_and_followed_by_nobody(
    ward: Ward, clock: MovableClock, client: Any, keys: Keys
) -> None:
    [a] = ward.trigger("a")
    ActionRows(client, keys).begin("r1", wish_of("resolve", a), timedelta(hours=1), durable=False)
    clock.advance(timedelta(minutes=2))

    assert ward.service.work().carried == 0
    [view] = ward.rows.list()
    assert (view.state, view.why) == ("failed", "broken off: whoever asked for it has gone")
