"""The judge of chaos is itself beyond doubt: every breach of the promise is named."""

from __future__ import annotations

from typing import Any

from tasks.audit.models import EventVerdict
from tests.chaos.kit.judge import Evidence, judge
from tests.chaos.kit.load import Accepted
from tests.chaos.kit.losses import Losses, Span


def seen(action: str, at: float, key: str = "a", **more: Any) -> dict[str, Any]:
    outcome = "opened" if action == "trigger" else "resolved"
    known = {"at": at, "path": "/v2/enqueue", "status": 202, "outcome": outcome, "routing_key": "r", "fault": ""}
    return {**known, "event_action": action, "dedup_key": key, **more}


def said(action: str, verdict: Any = "delivered", key: str = "a") -> EventVerdict:
    return EventVerdict(event_id=f"{action}-{key}", verdict=verdict, reason="why", action=action, dedup_key=key)


def evidence(**other: Any) -> Evidence:
    """One alert, triggered and resolved, of which all three say the same."""
    accepted = Accepted()
    accepted.events.update([("a", "trigger"), ("a", "resolve")])
    good = {
        "accepted": accepted,
        "log": [seen("trigger", 1), seen("resolve", 2)],
        "verdicts": [said("trigger"), said("resolve")],
    }
    return Evidence(**{**good, **other})


def test_agreement_is_nothing_wrong() -> None:
    assert judge(evidence()) == []


def test_a_resolve_the_ledger_does_not_know_is_lost_although_its_trigger_is_known() -> None:
    assert "accepted, but the ledger has never heard of it: 1: resolve a" in judge(evidence(verdicts=[said("trigger")]))


def test_a_delivery_nobody_has_seen_is_a_loss() -> None:
    (wrong, *_) = judge(evidence(log=[seen("resolve", 2)]))

    assert wrong.startswith("lost: 1: a: delivered, says the ledger")


def test_a_request_that_took_effect_counts_although_its_answer_was_reset() -> None:
    lost_after = seen("trigger", 1, status=0, fault="reset")

    assert judge(evidence(log=[lost_after, seen("resolve", 2)])) == []


def test_a_trigger_after_its_resolve_is_named() -> None:
    wrong = judge(evidence(log=[seen("trigger", 1), seen("resolve", 2), seen("trigger", 3)], may_repeat=1))

    assert "a trigger began after its resolve: 1: a" in wrong
    assert "resolved, but left open at PagerDuty: 1: a" in wrong


def test_duplicates_are_allowed_as_far_as_the_faults_explain_them() -> None:
    twice = [seen("trigger", 1), seen("trigger", 1.5), seen("resolve", 2)]

    assert judge(evidence(log=twice, may_repeat=1)) == []
    assert judge(evidence(log=twice)) == ["more duplicates than the faults allow (1 > 0): 1: a"]


def test_a_duplicate_pagerduty_has_asked_for_by_a_spoilt_answer_needs_no_allowance() -> None:
    log = [seen("trigger", 1, fault="truncated"), seen("trigger", 1.5), seen("resolve", 2)]

    assert judge(evidence(log=log)) == []


def test_what_is_in_the_ledger_more_often_than_it_was_sent_is_named() -> None:
    verdicts = [said("trigger"), said("trigger", "merged"), said("resolve")]
    told = evidence(verdicts=verdicts)

    assert judge(told) == ["in the ledger, but nobody sent it so often: 1: trigger a"]
    told.accepted.perhaps["a", "trigger"] += 1
    assert judge(told) == []


def test_a_dead_letter_nobody_has_planted_is_named() -> None:
    (wrong, *_) = judge(evidence(verdicts=[said("trigger"), said("resolve", "dead")]))

    assert wrong.startswith("ended otherwise than could be expected: 1: resolve-a")


def test_silence_without_a_rule_is_named_and_with_one_is_not() -> None:
    held_back = [said("trigger", "suppressed"), said("resolve", "suppressed")]

    assert judge(evidence(log=[], verdicts=held_back)) == []
    merged = [said("trigger", "merged"), said("resolve", "merged")]
    assert judge(evidence(log=[], verdicts=merged)) == ["PagerDuty has never heard of it, and no rule says why: 1: a"]


def loss(since: float, until: float, **more: Any) -> Losses:
    return Losses([Span(until, until)], [Span(since, until)], **more)


def test_what_was_accepted_before_a_loss_may_be_lost_only_within_the_span_that_is_named() -> None:
    told = evidence(log=[seen("trigger", 1)], verdicts=[said("trigger")], losses=loss(5, 8))
    told.accepted.times["a", "resolve"] = [(6.0, 6.1)]

    assert judge(told) == []
    assert told.lost() == {"lost, named": 0, "lost, their span named": 1}
    told.accepted.times["a", "resolve"] = [(4.0, 4.1)]
    assert "accepted, but the ledger has never heard of it: 1: resolve a" in judge(told)
    told.accepted.times["a", "resolve"] = [(9.0, 9.1)]
    assert "accepted, but the ledger has never heard of it: 1: resolve a" in judge(told)


def test_what_the_ledger_calls_lost_must_have_been_accepted_before_a_loss() -> None:
    told = evidence(log=[seen("trigger", 1)], verdicts=[said("trigger"), said("resolve", "lost")], losses=loss(5, 8))
    told.accepted.times["a", "resolve"] = [(4.0, 4.1)]

    assert judge(told) == []
    told.accepted.times["a", "resolve"] = [(9.0, 9.1)]
    assert any(wrong.startswith("lost: 1: a") for wrong in judge(told))


def test_a_loss_that_nobody_tells_of_is_named() -> None:
    assert "the server lost everything, and nobody says so: 1: 1 times" in judge(evidence(losses=Losses([Span(1, 1)])))


def test_a_worker_that_was_idle_for_too_long_is_named() -> None:
    (wrong,) = judge(evidence(idle={"alert-1": 61.0, "delivery-1": 59.0}))

    assert wrong == "alert-1 was idle for 61 s although its queue was not empty"


def test_an_alert_told_in_a_summary_is_silent_with_a_reason_and_the_summary_must_end_too() -> None:
    into = {"verdict": "merged", "reason": "bundle-1-1"}
    verdicts = [said(action).model_copy(update=into) for action in ("trigger", "resolve")]
    summary = [seen("trigger", 1, "tocsin-group-1"), seen("trigger", 2, "tocsin-group-1")]

    assert judge(evidence(log=[*summary, seen("resolve", 3, "tocsin-group-1")], verdicts=verdicts)) == []
    assert judge(evidence(log=summary, verdicts=verdicts)) == [
        "resolved, but left open at PagerDuty: 1: tocsin-group-1"
    ]


def test_a_resolve_that_goes_to_a_second_destination_too_is_not_made_up() -> None:
    copy = said("resolve").model_copy(update={"event_id": "resolve-a+shop:storm"})

    assert judge(evidence(verdicts=[said("trigger"), said("resolve"), copy])) == []
