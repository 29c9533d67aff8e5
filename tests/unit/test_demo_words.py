import pytest

from deploy.local.demo.ledger import Event, Step
from deploy.local.demo.table import show_table
from deploy.local.demo.words import span, told, why


def event(*steps):
    return Event("e1", "disk", "trigger", "shop", [Step(10 * at, *step) for at, step in enumerate(steps)])


ACCEPTED = ("accepted", "trigger", "shop")
ATTEMPT = ("attempt", "primary", "1")
FAILED = ("retry", "http:503", "primary")
SENT = ("sent", "primary", "1")


def test_a_delivery_at_the_first_try_has_no_more_to_say() -> None:
    assert why(event(ACCEPTED, ATTEMPT, SENT)) == "primary, 1st try"


def test_failed_tries_are_counted_by_reason() -> None:
    assert why(event(ACCEPTED, ATTEMPT, FAILED, ATTEMPT, FAILED, ATTEMPT, SENT)) == "primary, 3 tries: 2 x http:503"


def test_a_try_without_an_outcome_had_lost_its_worker() -> None:
    assert why(event(ACCEPTED, ATTEMPT, ATTEMPT, SENT)) == "primary, 2 tries: its worker died"


@pytest.mark.parametrize("end", [("merged", "duplicate", "e0"), ("suppressed", "silenced", ""), ("dead", "poison", "")])
def test_what_was_not_delivered_has_the_reason_by_its_name(end: tuple[str, str, str]) -> None:
    assert why(event(ACCEPTED, end)) == end[1]


def test_a_story_without_an_end_says_how_far_it_came() -> None:
    assert why(event(ACCEPTED, ATTEMPT, FAILED)) == "retry"
    assert event(ACCEPTED, ATTEMPT, FAILED).fate == "pending"


def test_a_replayed_dead_letter_is_judged_by_its_last_end() -> None:
    again = event(ACCEPTED, ("dead", "unknown_service", ""), ("replayed", "", ""), ACCEPTED, ATTEMPT, SENT)

    assert again.fate == "delivered"
    assert event(ACCEPTED, ("dead", "unknown_service", ""), ("replayed", "", "")).fate == "pending"


def test_a_dead_letter_is_told_with_its_mend() -> None:
    dead = event(ACCEPTED, ("dead", "unknown_service", "service 'shoop' is not configured; add it"))

    assert told("disk", dead, dead.steps[-1]) == [
        "trigger disk: dead letter, because of unknown_service:",
        "service 'shoop' is not configured",
        "add it",
    ]


def test_steps_that_go_without_saying_are_not_told() -> None:
    assert told("disk", event(ACCEPTED), Step(0, *ACCEPTED)) == []


def test_times_are_told_in_the_unit_that_fits() -> None:
    assert (span(0.0124), span(6.04)) == ("12 ms", "6.0 s")


def test_a_table_in_a_pipe_is_plain_aligned_text(capsys: pytest.CaptureFixture[str]) -> None:
    show_table("Alerts", ("ALERT", "TOOK"), [("disk", "9 ms"), ("memory", "1.2 s")])

    assert capsys.readouterr().out == "\nAlerts\n\n  ALERT    TOOK\n  disk     9 ms\n  memory  1.2 s\n"
