"""The sandbox keeps what tests ask for and no more: what bounds its log, its incidents and its windows."""

from __future__ import annotations

import json

from deploy.sandbox.account import Integration
from deploy.sandbox.alerts import Trigger
from deploy.sandbox.call import Answer, Call, Outcome
from deploy.sandbox.incidents import Incidents
from deploy.sandbox.journal import Journal
from deploy.sandbox.limits import FixedWindow, SlidingWindow
from deploy.sandbox.log import Log
from deploy.sandbox.world import Options, World

DOOR = Integration("PDOOR", "a" * 32, "events_api_v2_inbound_integration", "PSERVICE", "db")
TRIGGER = Trigger("disk full", "critical", None, ())


def write(log: Log, count: int, body: bytes = b'{"a":1}') -> None:
    for number in range(count):
        call = Call("POST", "/v2/enqueue", b"", (), 1.0, body, dedup_key=f"k{number}")
        log.write(call, Answer(202, b"", Outcome.OPENED), "", keep_body=True)


def keys(page: dict[str, object]) -> list[str]:
    entries = page["entries"]
    assert isinstance(entries, list)
    return [entry["dedup_key"] for entry in entries]


def test_the_log_keeps_the_latest_entries_and_counts_all() -> None:
    log = Log(kept=10)

    write(log, 100)

    assert 10 <= len(log) <= 11
    assert log.counts == {"opened": 100}
    assert keys(log.page(0, 100, bodies=False))[-1] == "k99"


def test_a_reader_whose_place_is_forgotten_goes_on_with_the_oldest_entry_kept() -> None:
    log = Log(kept=10)
    write(log, 100)

    page = log.page(0, 3, bodies=False)

    assert keys(page) == [f"k{number}" for number in range(100 - len(log), 103 - len(log))]
    assert (page["next"], page["more"]) == (103 - len(log), True)


def test_bodies_are_kept_up_to_a_number_of_bytes() -> None:
    log = Log(kept_body_bytes=30)
    write(log, 100, body=json.dumps({"a": 1000}).encode())

    entries = log.page(0, 100, bodies=True)["entries"]

    assert isinstance(entries, list)
    assert [entry["dedup_key"] for entry in entries if "body" in entry] == ["k98", "k99"]


def test_a_number_nobody_has_seen_yet_answers_with_nothing() -> None:
    log = Log()
    write(log, 2)

    assert log.page(7, 10, bodies=False) == {"entries": [], "next": 2, "more": False}


def test_resolved_incidents_are_forgotten_oldest_first_and_open_ones_never() -> None:
    world = World(Options())
    world.incidents = Incidents(kept_resolved=2)
    for number in range(5):
        world.intake.trigger(DOOR, f"k{number}", TRIGGER, now=1.0)
    for number in range(4):
        world.intake.resolve(DOOR.routing_key, f"k{number}", now=2.0)

    assert [one.dedup_key for one in world.incidents.all()] == ["k2", "k3", "k4"]
    assert [one.dedup_key for one in world.incidents.open()] == ["k4"]


def test_the_journal_keeps_the_latest_log_entries() -> None:
    world = World(Options())
    world.journal = Journal(kept=10)
    for number in range(100):
        world.intake.trigger(DOOR, f"k{number}", TRIGGER, now=float(number))

    entries = world.journal.between(0, 1000)

    assert 10 <= len(entries) <= 11
    assert world.journal.get(entries[-1].id) is entries[-1]
    assert world.journal.get(entries[0].id) is entries[0]
    assert world.journal.get("R0000000000001") is None


def test_a_sliding_window_forgets_calls_one_by_one() -> None:
    window = SlidingWindow(2)

    assert [window.admit("key", now) for now in (0, 30, 59.9, 60, 60, 90)] == [True, True, False, True, False, True]


def test_a_fixed_window_starts_with_the_first_call_and_says_when_it_ends() -> None:
    window = FixedWindow(1)

    quotas = [window.admit("token", now) for now in (100.0, 130.5, 160.0)]

    assert [(one.admitted, one.remaining, one.reset) for one in quotas if one] == [
        (True, 0, 60),
        (False, 0, 30),
        (True, 0, 60),
    ]
