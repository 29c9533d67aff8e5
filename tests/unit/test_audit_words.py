"""A story as people read it."""

from __future__ import annotations

import pytest

from tasks.audit.judge import as_datetime
from tasks.audit.models import Step
from tasks.audit.trail import in_words
from tasks.utils.ledger import Entry


@pytest.mark.parametrize(
    ("step", "reason", "detail", "text"),
    [
        ("received", "events", "", "received by HTTP (Events API v2)"),
        ("received", "door", "", "received from door"),
        ("received", "shell", "3661000", "received from a shell at 01:01:01 UTC; until now it waited in the spool"),
        ("accepted", "trigger", "shop 0123abcd", "accepted: trigger for service shop"),
        ("accepted", "refused", "", "taken in, but it cannot become an alert"),
        (
            "adapted",
            '["summary_cut", "source_filled"]',
            "",
            "adapted so that it can be sent: summary_cut, source_filled",
        ),
        ("adapted", "http_400", "p", "channel p refused its content (http_400); goes once more in minimal form"),
        ("adapted", "plain", "", "adapted so that it can be sent: plain"),
        ("merged", "duplicate", "x", "merged into x: says the same"),
        ("merged", "superseded", "x", "merged into x: newer news of the same alert came before it was sent"),
        ("suppressed", "silenced", "", "suppressed by rule silenced"),
        (
            "suppressed",
            "resolved_before_send",
            "",
            "suppressed by rule resolved_before_send: its resolve came before it was sent",
        ),
        ("attempt", "p", "3", "attempt 3, to channel p"),
        ("sent", "p", "1", "sent to channel p at the 1st attempt"),
        ("sent", "p", "2", "sent to channel p at the 2nd attempt"),
        ("sent", "p", "late", "sent to channel p, as an answer tells that came late"),
        ("sent", "p", "11", "sent to channel p at the 11th attempt"),
        ("sent", "p", "23", "sent to channel p at the 23rd attempt"),
        ("repeated", "p", "", "sent to channel p once more, because an earlier answer was lost"),
        ("retry", "http_503", "p", "channel p did not take it (http_503); it will be tried again"),
        ("next_channel", "deadline_passed", "q", "goes on to channel q (deadline_passed)"),
        ("dead", "invalid", "no summary", "dead letter: invalid (no summary)"),
        ("dead", "invalid", "", "dead letter: invalid"),
        (
            "missed",
            "p",
            "q",
            "channel p took it, and PagerDuty shows no incident of it; it is said again by channel q",
        ),
        ("missed", "p", "", "channel p took it, and PagerDuty shows no incident of it"),
        (
            "receipt",
            "seen",
            "maintenance",
            "accounted for in PagerDuty: its service is in maintenance there, and opens no incidents",
        ),
        (
            "receipt",
            "unverified",
            "may_be_suppressed",
            "nobody can tell whether PagerDuty has an incident of it: rules of PagerDuty may suppress or pause it",
        ),
        ("replayed", "", "", "put back, to be decided on again"),
        ("swept", "x", "", "found waiting without a due time, and given one"),
        ("grouped", "with", "friends", "grouped with friends"),
    ],
)
def test_each_step_reads_as_a_sentence(step: str, reason: str, detail: str, text: str) -> None:
    assert in_words(Entry("1-0", 1, "e", step, reason, detail)) == text


def test_a_step_shows_its_time_to_the_millisecond() -> None:
    assert str(Step(at=as_datetime(3), step="sent", text="sent")) == "00:00:00.003 sent"
