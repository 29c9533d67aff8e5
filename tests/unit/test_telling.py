"""What is said aloud of attempts to deliver."""

from __future__ import annotations

import pytest
import structlog

from tasks.notifications.telling import Teller
from tasks.utils.metrics_collector import Metrics
from tasks.utils.rows import Attempt, Outcome

ATTEMPT = Attempt("u@shop", "0abc", "trigger", "mail", "kid", minimal=False, attempts=1, body="{}", patience_ms=-1)


def said(outcome: Outcome) -> list[tuple[str, str]]:
    """The events that are logged of one attempt, and how to mend it."""
    with structlog.testing.capture_logs() as logged:
        Teller(Metrics()).attempted(ATTEMPT, "shop", "web", outcome, is_last=False)
    return [(entry["event"], entry.get("mend", "")) for entry in logged]


def test_of_what_was_sent_nothing_is_said() -> None:
    assert said(Outcome("sent")) == []


@pytest.mark.parametrize(
    ("outcome", "event", "mend"),
    [
        (Outcome("sent", "some_recipients_rejected"), "partly_delivered", "mend the addresses in the channel"),
        (Outcome("refused", "private_address"), "not_delivered", "write `allow_private: true`"),
        (Outcome("refused", "redirected"), "not_delivered", "write the address into the channel"),
        (Outcome("retry", "certificate_not_trusted"), "not_delivered", "name the mail server as its certificate does"),
        (Outcome("refused", "login_rejected", delay_ms=1), "key_rejected", "mend email.username and email.password"),
        (Outcome("refused", "key_rejected", delay_ms=1), "key_rejected", ""),
        (Outcome("retry", "http:503"), "not_delivered", ""),
    ],
)
def test_what_went_wrong_is_said_with_a_mend_where_somebody_can_mend_it(
    outcome: Outcome, event: str, mend: str
) -> None:
    [(name, way)] = said(outcome)

    assert name == event
    assert way.startswith(mend)
    assert bool(way) == bool(mend)
