"""Verdicts from entries alone, and a tiny model that must agree with them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from tasks.audit.stories import Stories, Verdict
from tasks.utils.ledger import Entry
from tests.searching import searched


def tell(*entries: tuple[str, ...]) -> Stories:
    """Stories from (event, step, reason, detail), a millisecond apart."""
    stories = Stories()
    for at, (event, step, *rest) in enumerate(entries):
        reason, detail = (*rest, "", "")[:2]
        stories.add(Entry(f"{at}-0", at, event, step, reason, detail))
    return stories


ACCEPTED = ("a", "accepted", "trigger", "shop")


@pytest.mark.parametrize(
    ("last", "state", "reason"),
    [
        (("a", "sent", "primary", "1"), "delivered", "primary"),
        (("a", "suppressed", "silenced"), "suppressed", "silenced"),
        (("a", "dead", "invalid", "no summary"), "dead", "invalid"),
    ],
)
def test_the_last_closing_step_is_the_verdict(last: tuple[str, ...], state: str, reason: str) -> None:
    assert tell(ACCEPTED, last).verdict("a") == Verdict(state, reason)


@pytest.mark.parametrize("step", ["adapted", "attempt", "retry", "next_channel", "swept", "a step of the future"])
def test_other_steps_leave_a_story_open(step: str) -> None:
    assert tell(ACCEPTED, ("a", step, "x", "y")).verdict("a") == Verdict("open", "", "a")


def test_a_repeat_of_what_a_bundle_told_has_come_to_a_good_end() -> None:
    stories = tell(
        ACCEPTED, ("b", "accepted"), ("b", "merged", "duplicate", "a"), ("a", "merged", "summary", "bundle-0-3")
    )

    assert stories.verdict("b") == Verdict("merged", "a")
    assert list(stories.strangers(None)) == []


def test_a_replayed_event_is_open_again() -> None:
    stories = tell(ACCEPTED, ("a", "dead", "poison"), ("a", "replayed"))

    assert stories.verdict("a").state == "open"


def test_a_late_answer_turns_a_dead_letter_into_a_delivery() -> None:
    assert tell(ACCEPTED, ("a", "dead", "poison"), ("a", "sent", "p", "1")).verdict("a").state == "delivered"


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        (("a", "sent", "p", "1"), Verdict("merged", "a")),
        (("a", "suppressed", "silenced"), Verdict("merged", "a")),
        (("a", "dead", "poison"), Verdict("dead", "poison")),
        (("a", "attempt", "p", "1"), Verdict("open", "", "a")),
    ],
)
def test_a_merged_event_shares_the_fate_of_what_it_went_into(end: tuple[str, ...], verdict: Verdict) -> None:
    stories = tell(ACCEPTED, ("b", "accepted"), ("b", "merged", "duplicate", "a"), end)

    assert stories.verdict("b") == verdict


def test_a_merge_into_the_unknown_is_broken() -> None:
    stories = tell(("b", "accepted"), ("b", "merged", "duplicate", "gone"))

    wrong = "was merged into gone, which the ledger does not know"
    assert stories.verdict("b") == Verdict("broken", wrong, fault="merged_into_unknown")
    assert list(stories.strangers(None)) == ["gone"]


def test_a_merge_into_the_unknown_counts_as_merged_where_the_ledger_at_hand_is_not_whole() -> None:
    stories = tell(("b", "accepted"), ("b", "merged", "duplicate", "gone"))
    stories.is_whole = False

    assert stories.verdict("b").state == "merged"


def test_a_circle_of_merges_is_broken() -> None:
    stories = tell(("a", "accepted"), ("b", "accepted"), ("a", "merged", "x", "b"), ("b", "merged", "x", "a"))

    assert stories.verdict("a").state == stories.verdict("b").state == "broken"


@pytest.mark.parametrize("step", ["attempt", "sent", "merged", "suppressed", "dead"])
def test_what_was_never_accepted_cannot_end(step: str) -> None:
    assert tell(("a", "received", "events"), ("a", step, "x", "y")).verdict("a").state == "broken"


def test_a_story_whose_beginning_is_not_at_hand_is_believed() -> None:
    stories = tell(("a", "sent", "p", "1"))
    assert stories.verdict("a").state == "broken"

    stories.is_whole = False

    assert stories.verdict("a").state == "delivered"
    assert list(stories.since(0)) == []


@dataclass
class Model:
    """One event as the model sees it."""

    fate: str = "open"
    into: Model | None = None


def fate_of(model: Model) -> str:
    """A merged event is dead or open when what it went into is."""
    if model.fate != "merged" or model.into is None:
        return model.fate
    beyond = fate_of(model.into)
    return beyond if beyond in ("dead", "open") else "merged"


class RandomStories(RuleBasedStateMachine):
    """Random lives of events; the model keeps one word each."""

    events = Bundle("events")

    @initialize()
    def begin(self) -> None:
        self.stories = Stories()
        self.model: dict[str, Model] = {}
        self.clock = 0

    def write(self, event: str, step: str, reason: str = "", detail: str = "") -> None:
        self.clock += 1
        self.stories.add(Entry(f"{self.clock}-0", self.clock, event, step, reason, detail))

    @rule(target=events, through_http=st.booleans())
    def accept(self, *, through_http: bool) -> str:
        name = f"e{len(self.model)}"
        if through_http:
            self.write(name, "received", "events")
        self.write(name, "accepted", "trigger", "shop")
        self.model[name] = Model()
        return name

    @rule(event=events, step=st.sampled_from(["attempt", "retry", "next_channel", "swept", "adapted"]))
    def go_on(self, event: str, step: str) -> None:
        if self.model[event].fate == "open":
            self.write(event, step, "p", "1")

    @rule(event=events, end=st.sampled_from([("sent", "delivered"), ("suppressed", "suppressed"), ("dead", "dead")]))
    def close(self, event: str, end: tuple[str, str]) -> None:
        if self.model[event].fate == "open":
            self.write(event, end[0], "reason", "1")
            self.model[event].fate = end[1]

    @rule(event=events, into=events)
    def merge(self, event: str, into: str) -> None:
        younger = int(event[1:]) < int(into[1:])  # into a newer one only: a circle cannot come about
        if self.model[event].fate == "open" and younger:
            self.write(event, "merged", "superseded", into)
            self.model[event].fate, self.model[event].into = "merged", self.model[into]

    @rule(event=events)
    def replay(self, event: str) -> None:
        if self.model[event].fate == "dead":
            self.write(event, "replayed")
            self.model[event].fate = "open"

    @invariant()
    def the_verdicts_agree(self) -> None:
        for name, model in getattr(self, "model", {}).items():
            assert self.stories.verdict(name).state == fate_of(model)


TestRandomStories = RandomStories.TestCase
TestRandomStories.settings = searched(30)


@searched(40)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["received", "accepted", "sent", "merged", "dead"]))))
def test_no_order_of_entries_upsets_the_judge(entries: list[tuple[str, str]]) -> None:
    stories = tell(*((event, step, "x", "abc"[len(step) % 3]) for event, step in entries))

    for event_id in stories.since(None):
        assert stories.verdict(event_id).state in {"open", "delivered", "merged", "dead", "broken"}
