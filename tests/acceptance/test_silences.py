"""A silence holds triggers back under its name; when it ends, what still fires is delivered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tasks.alerts.models import SilenceDraft
from tasks.utils.error_handler import InvalidRuleError, UnknownError
from tests.pipeline import Pipeline, alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

HOUR = timedelta(hours=1)


def test_a_silenced_trigger_is_suppressed_by_name_and_sent_when_the_silence_ends(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    rule = pipeline.silence("source=web1", minutes=60)
    [held, other] = pipeline.submit(alert("disk"), alert("cpu", source="web2"))
    pipeline.deliver()

    assert (held.state, held.reason) == ("suppressed", rule)
    assert [entry["dedup_key"] for entry in sandbox.log()] == ["cpu"]
    assert pipeline.state(other.id) == "sent primary"

    clock.advance(HOUR)
    assert pipeline.alerts.drain_inbox().released == 1
    pipeline.deliver()

    assert [entry["dedup_key"] for entry in sandbox.log()] == ["cpu", "disk"]
    assert pipeline.steps(held.id) == ["accepted", "suppressed", "released", "accepted", "attempt", "sent"]


def test_what_was_resolved_meanwhile_is_not_sent_when_the_silence_ends(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    rule = pipeline.silence("source=web1")
    [held] = pipeline.submit(alert("disk"))
    [resolve] = pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()
    clock.advance(HOUR)
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert sandbox.log() == []
    assert pipeline.state(held.id) == f"suppressed {rule}"
    assert pipeline.state(resolve.id) == "suppressed nothing_was_sent"


def test_the_resolve_of_an_alert_that_is_open_already_passes_a_silence(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    pipeline.silence("source=web1")
    pipeline.submit(alert("disk", summary="worse"))
    pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()

    assert [entry["outcome"] for entry in sandbox.log()] == ["opened", "resolved"]
    assert pipeline.current.list().alerts[0].held_by == ""


def test_only_the_newest_of_the_triggers_held_back_is_sent(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    pipeline.silence("source=web1")
    decisions = pipeline.submit(*(alert("disk", summary=f"disk {n} % full") for n in (80, 90, 95)))
    clock.advance(HOUR)
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert [entry["summary"] for entry in sandbox.log()] == ["disk 95 % full"]
    assert [pipeline.event(d.id)["state"] for d in decisions] == ["suppressed", "suppressed", "sent"]
    assert "body" not in pipeline.event(decisions[0].id)


def test_a_silence_ended_by_hand_lets_go_at_once(pipeline: Pipeline, sandbox: Sandbox) -> None:
    rule = pipeline.silence("source=web1")
    pipeline.submit(alert("disk"))

    ended = pipeline.silences.expire(rule.partition(":")[2], "bob")
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert (ended.state, ended.expired_by) == ("ended", "bob")
    assert [entry["dedup_key"] for entry in sandbox.log()] == ["disk"]


def test_what_another_silence_still_matches_stays_held_back_under_its_name(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    short = pipeline.silence("source=web1", minutes=30)
    [held] = pipeline.submit(alert("disk"))
    long = pipeline.silence("severity=critical", minutes=90)
    assert pipeline.state(held.id) == f"suppressed {short}"

    clock.advance(timedelta(minutes=40))
    pipeline.alerts.drain_inbox()
    assert pipeline.state(held.id) == f"suppressed {long}"

    clock.advance(HOUR)
    pipeline.alerts.drain_inbox()
    pipeline.deliver()
    assert [entry["dedup_key"] for entry in sandbox.log()] == ["disk"]


def test_a_trigger_that_the_silence_does_not_match_any_more_is_sent(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.silence("severity!=critical")
    [warning] = pipeline.submit(alert("disk", severity="warning"))
    [critical] = pipeline.submit(alert("disk", severity="critical"))
    pipeline.deliver()

    assert pipeline.event(warning.id)["state"] == "suppressed"
    assert pipeline.state(critical.id) == "sent primary"
    assert pipeline.current.list().alerts[0].held_by == ""


def test_a_maintenance_window_holds_back_from_its_begin_on(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    begin = clock.now() + HOUR
    rule = pipeline.silence(kind="maintenance", services=["shop"], starts_at=begin)
    [before] = pipeline.submit(alert("disk"))
    clock.advance(HOUR)
    [during] = pipeline.submit(alert("cpu"))
    [elsewhere] = pipeline.submit({**alert("cpu"), "service": "solo"})

    assert before.state == elsewhere.state == "queued"
    assert (during.state, during.reason) == ("suppressed", rule)
    assert rule.startswith("maintenance:")


def test_an_acknowledge_passes_and_the_trigger_still_comes(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    pipeline.silence("source=web1")
    pipeline.submit(alert("disk"), alert("disk", "acknowledge"))
    pipeline.deliver()
    clock.advance(HOUR)
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert [entry["outcome"] for entry in sandbox.log()] == ["opened"]


def test_a_hundred_and_more_held_back_are_let_go_in_order(
    pipeline: Pipeline, clock: MovableClock, sandbox: Sandbox
) -> None:
    pipeline.silence("source=web1")
    decisions = pipeline.submit(*(alert(f"disk-{n}") for n in range(250)))
    clock.advance(HOUR)

    assert pipeline.alerts.drain_inbox().released == 250

    queued = pipeline.client.zrange(pipeline.keys.queued, 0, -1)
    assert sorted(queued) == sorted(d.id for d in decisions)
    assert pipeline.client.exists(pipeline.keys.holds_due) == 0


def test_a_list_tells_states_and_how_many_are_held(pipeline: Pipeline, clock: MovableClock) -> None:
    rule = pipeline.silence("source=web1", minutes=5)
    pipeline.silence("source=web2", starts_at=clock.now() + HOUR)
    pipeline.submit(alert("disk"))

    assert [(s.state, s.held) for s in pipeline.silences.list()] == [("active", 1), ("pending", 0)]
    assert pipeline.current.list().alerts[0].held_by == rule
    clock.advance(timedelta(minutes=6))
    assert [s.state for s in pipeline.silences.list()] == ["pending"]
    assert [s.state for s in pipeline.silences.list(include_ended=True)] == ["ended", "pending"]


def test_a_preview_shows_what_is_open_and_would_match(pipeline: Pipeline) -> None:
    pipeline.submit(alert("disk"), alert("cpu", source="web2"), alert("net"), alert("net", "resolve"))

    preview = pipeline.silences.preview(SilenceDraft(matchers=["source=~web.*", "summary=~.*trouble"]))

    assert (preview.total, sorted(view.dedup_key for view in preview.alerts)) == (2, ["cpu", "disk"])


def test_a_draft_is_told_everything_that_is_wrong_with_it(pipeline: Pipeline, clock: MovableClock) -> None:
    draft = SilenceDraft(matchers=["a=~(", "nonsense"], services=["shoop"], ends_at=clock.now() - HOUR)

    with pytest.raises(InvalidRuleError) as refused:
        pipeline.silences.create(draft)

    text = str(refused.value)
    assert all(
        part in text for part in ("regular expression", "no matcher", "shoop", "ended already", "author", "comment")
    )


def test_a_silence_of_everything_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(InvalidRuleError, match="silence everything"):
        pipeline.silence()


def test_a_silence_nobody_knows_cannot_be_expired(pipeline: Pipeline) -> None:
    with pytest.raises(UnknownError, match="no silence 'x'"):
        pipeline.silences.expire("x", "bob")


def test_silences_that_ended_a_week_ago_are_forgotten(pipeline: Pipeline, clock: MovableClock) -> None:
    pipeline.silence("source=web1", minutes=1)
    clock.advance(timedelta(days=8))
    pipeline.silence("source=web2")

    assert len(pipeline.silences.list(include_ended=True)) == 1
