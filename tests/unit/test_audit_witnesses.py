"""The helper of the tests of loss is itself beyond doubt."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.audit.models import EventVerdict
from tests.witnesses import ANY, hear


def seen(key: str, action: str = "trigger", at: float = 0.0, status: int = 202) -> dict[str, Any]:
    return {
        "at": at,
        "path": "/v2/enqueue",
        "status": status,
        "routing_key": "r",
        "event_action": action,
        "dedup_key": key,
    }


def said(key: str, verdict: Any = "delivered", action: str = "trigger", event_id: str = "") -> EventVerdict:
    return EventVerdict(event_id=event_id or f"id-{key}", verdict=verdict, reason="why", action=action, dedup_key=key)


def test_agreement_is_nothing_wrong() -> None:
    assert hear(["a", "id-a"], [seen("a")], [said("a")]).nothing_wrong


@pytest.mark.parametrize(
    ("log", "verdicts", "words"),
    [
        ([seen("a")], [], "never heard of it"),
        ([], [said("a")], "the sandbox has never seen it"),
        ([seen("a", status=500)], [said("a")], "the sandbox has never seen it"),
        ([seen("a", "resolve")], [said("a")], "the sandbox has never seen it"),
        ([seen("a")], [said("a", "broken")], "why"),
    ],
)
def test_each_witness_alone_is_not_believed(log: list[Any], verdicts: list[EventVerdict], words: str) -> None:
    told = hear(["a"], log, verdicts)

    assert words in told.lost[0]
    assert not told.nothing_wrong


def test_what_is_still_under_way_is_not_lost_but_not_done() -> None:
    assert hear(["a"], [], [said("a", "pending")]).pending == ["a"]


@pytest.mark.parametrize("fate", ["merged", "suppressed", "dead"])
def test_a_fate_nobody_predicted_is_unexpected(fate: str) -> None:
    assert hear(["a"], [], [said("a", fate)]).unexpected == [f"id-a (a): {fate}, why"]
    assert hear(["a"], [], [said("a", fate)], **{fate: {"a"}}).nothing_wrong
    assert hear(["a"], [], [said("a", fate)], **{fate: {"id-a"}}).nothing_wrong
    assert hear(["a"], [], [said("a", fate)], **{fate: ANY}).nothing_wrong


def test_a_planted_dead_letter_that_lives_is_missing() -> None:
    assert hear(["a"], [seen("a")], [said("a")], dead={"a"}).missing == ["a"]


def test_a_trigger_taken_twice_is_a_duplicate_unless_two_events_were_sent() -> None:
    twice = [seen("a", at=1), seen("a", at=2)]

    assert hear(["a"], twice, [said("a")]).duplicates == ["a"]
    assert hear(["a"], twice, [said("a"), said("a", event_id="other")]).nothing_wrong


def test_a_trigger_after_its_resolve_is_late_unless_it_is_a_new_alert() -> None:
    log = [seen("a", at=1), seen("a", "resolve", at=2), seen("a", at=3)]
    verdicts = [said("a"), said("a", action="resolve", event_id="r"), said("a", event_id="other")]

    assert hear(["a"], log, verdicts).late_triggers == ["a"]
    assert hear(["a"], log, verdicts, reopened={"a"}).nothing_wrong
