"""How many alerts were in time, told from ledger entries."""

from __future__ import annotations

from tasks.audit.availability import Availability
from tasks.utils.ledger import Entry

DAY = 86_400_000
SECOND = 1000
DEADLINES = {"critical": 60 * SECOND, "info": 3600 * SECOND}


def told(*steps: tuple[str, int, str, str], now: int = 10 * DAY) -> Availability:
    """Entries as `(event, when, step, more)`: an acceptance's severity, anything else's reason."""
    known = Availability(lambda _, severity: DEADLINES[severity])
    for event, at, step, more in steps:
        is_accepted = step == "accepted"
        reason, detail = ("trigger", f"shop 0123 {more}") if is_accepted else (more, "")
        known.add(Entry(f"{at}-0", at, event, step, reason, detail))
    return known


def test_an_alert_sent_before_the_deadline_of_its_severity_is_in_time() -> None:
    steps = [("a", 0, "accepted", "critical"), ("a", 59 * SECOND, "sent", "p"), ("b", 0, "accepted", "info")]
    report = told(*steps, ("b", 3599 * SECOND, "sent", "p")).report(0, DAY)

    [day] = report.days
    assert (day.day, day.alerts, day.in_time, day.share) == ("1970-01-01", 2, 2, 1.0)
    assert report.outages == []


def test_it_counts_from_its_arrival_and_not_from_its_acceptance() -> None:
    report = told(
        ("a", 0, "received", ""), ("a", 50 * SECOND, "accepted", "critical"), ("a", 70 * SECOND, "sent", "p")
    ).report(0, DAY)

    assert report.days[0].in_time == 0
    [outage] = report.outages
    assert (outage.seconds, outage.alerts) == (10, 1)


def test_late_ones_that_overlap_are_one_outage() -> None:
    steps = []
    for number in range(3):
        begun = number * 30 * SECOND
        steps += [(str(number), begun, "accepted", "critical"), (str(number), 600 * SECOND, "sent", "p")]
    [outage] = told(*steps).report(0, DAY).outages

    assert (outage.alerts, outage.begin.second, outage.seconds) == (3, 0, 540)


def test_what_was_merged_or_suppressed_was_not_to_be_delivered() -> None:
    report = told(
        ("a", 0, "accepted", "critical"),
        ("a", 5, "merged", "duplicate"),
        ("b", 0, "accepted", "critical"),
        ("b", 5, "suppressed", "silence"),
    ).report(0, DAY)

    assert report.days == [] or report.days[0].alerts == 0


def test_what_waits_past_its_deadline_is_an_outage_that_goes_on_and_what_has_time_is_not() -> None:
    report = told(("a", 0, "accepted", "critical"), ("b", 0, "accepted", "info")).report(0, 90 * SECOND)

    [day] = report.days
    assert (day.alerts, day.in_time, day.waiting) == (1, 0, 1)
    assert report.outages[0].seconds == 30


def test_a_dead_letter_was_not_in_time_and_a_replay_begins_anew() -> None:
    dead = [("a", 0, "accepted", "critical"), ("a", 5 * SECOND, "dead", "key_rejected")]
    report = told(*dead).report(0, DAY)
    replayed = told(*dead, ("a", DAY, "replayed", ""), ("a", DAY + SECOND, "sent", "p")).report(0, 2 * DAY)

    assert (report.days[0].in_time, report.days[0].lost_to_dead_letters) == (0, 1)
    assert [(day.day, day.in_time) for day in replayed.days] == [("1970-01-02", 1)]


def test_an_old_entry_that_names_no_severity_has_the_strictest_deadline() -> None:
    known = told()
    known.add(Entry("0-0", 0, "a", "accepted", "trigger", "shop 0123"))
    known.add(Entry("1-0", 61 * SECOND, "a", "sent", "p", "1"))

    assert known.report(0, DAY).days[0].in_time == 0


def test_resolves_bundles_and_escalations_are_no_alerts() -> None:
    known = told(("bundle-1-2", 0, "sent", "p"))
    known.add(Entry("0-0", 0, "r", "accepted", "resolve", "shop 0123"))
    known.add(Entry("0-1", 0, f"escalation-{'a' * 32}-1", "started", "policy", ""))

    assert known.report(0, DAY).days == []
