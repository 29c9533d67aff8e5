"""A 202 is not a page: what PagerDuty took and shows no incident of is said again, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.breakers import Breakers
from tasks.webhooks.models import Observation
from tests.acceptance.loop_world import Loop
from tests.acceptance.sync_world import CROWD, PLATFORM, PRIMARY, STANDBY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox


@pytest.fixture
def loop(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[Loop]:
    with Loop(tmp_path, server.url, sandbox) as made:
        yield made


def test_what_pagerduty_took_without_an_incident_is_said_by_the_next_channel_in_time_and_once(loop: Loop) -> None:
    loop.swallow(PRIMARY)
    loop.send("trigger", "a")

    loop.pass_time(55)
    assert loop.arrived(STANDBY) == {}
    loop.pass_time(10)
    assert loop.arrived(STANDBY) == {"a": 1}
    loop.pass_time(600)

    assert (loop.arrived(PRIMARY), loop.arrived(STANDBY)) == ({"a": 1}, {"a": 1})
    assert loop.open_there() == {"a": 1}
    assert loop.is_proved()


def test_the_resolve_reaches_both_places(loop: Loop) -> None:
    loop.swallow(PRIMARY)
    loop.send("trigger", "a")
    loop.pass_time(70)

    loop.send("resolve", "a")

    assert (loop.arrived(PRIMARY, "resolve"), loop.arrived(STANDBY, "resolve")) == ({"a": 1}, {"a": 1})
    assert loop.open_there() == {}
    assert loop.is_proved()


def test_what_pagerduty_shows_is_seen_and_nothing_is_kept_of_it(loop: Loop) -> None:
    loop.send("trigger", "a", "b", "c", "d", "e")
    assert loop.receipt("a") == "waiting"

    [look] = loop.pass_time(600)

    assert (look.rows, look.seen) == (5, 5)
    assert loop.receipt("a") == "seen"
    assert loop.arrived(STANDBY) == {}
    assert loop.client.exists(loop.keys.receipts, loop.keys.receipts_due) == 0
    bodies = [key for key in loop.client.keys(loop.keys.event("*")) if loop.client.hexists(key, "body")]
    assert bodies == []


def test_without_a_next_channel_it_is_sent_once_more_and_then_is_a_dead_letter_that_can_be_replayed(loop: Loop) -> None:
    fault = loop.swallow(PLATFORM)
    loop.send("trigger", "a", service="platform")

    loop.pass_time(300)

    assert loop.arrived(PLATFORM) == {"a": 2}
    [letter] = loop.letters()
    assert letter.reason == "missed"
    assert loop.is_proved()

    loop.sandbox.control("DELETE", f"/faults/{fault}")
    loop.runtime.delivery.replay([letter.id])
    loop.work()
    loop.pass_time(300)
    assert loop.open_there() == {"a": 1}
    assert loop.receipt("a", "platform") == "seen"
    assert loop.is_proved()


def test_five_hundred_at_once_are_all_said_again_and_are_one_signal_to_the_breaker(loop: Loop) -> None:
    keys = [f"k{number}" for number in range(500)]
    loop.swallow(PRIMARY)
    loop.send("trigger", *keys)
    while loop.client.zcard(loop.keys.outbox_due):
        loop.work()

    began = loop.runtime.clock.now_ms()
    looks = loop.pass_time(65)
    minutes = (loop.runtime.clock.now_ms() - began) / 60_000
    while loop.client.zcard(loop.keys.outbox_due):
        loop.work()

    assert sum(look.missed for look in looks) == 500
    assert loop.arrived(STANDBY) == dict.fromkeys(keys, 1)
    # A few calls, as long as a list shows them all; one each for those that come later, when more are open than it can show.
    assert sum(look.calls for look in looks) <= 0.3 * 960 * minutes
    [breaker] = loop.client.zrange(loop.keys.breakers, 0, -1)
    assert loop.client.hget(loop.keys.breaker(breaker), "failures") == str(sum(look.missed > 0 for look in looks))
    assert not any(view.is_shut for view in Breakers(loop.client, loop.keys).list())
    assert loop.is_proved()


def test_a_look_whose_worker_dies_is_taken_again(loop: Loop) -> None:
    loop.swallow(PRIMARY)
    loop.send("trigger", "a")
    loop.advance(25)
    claimed = loop.runtime.receipts._scripts.run("receipts_claim", 10, 180_000)
    assert claimed[1].endswith(loop.uid("a"))

    loop.pass_time(170)
    assert loop.arrived(STANDBY) == {}
    loop.pass_time(30)

    assert loop.arrived(STANDBY) == {"a": 1}
    assert loop.is_proved()


def test_what_two_workers_find_missed_is_said_once(loop: Loop) -> None:
    loop.swallow(PRIMARY)
    loop.send("trigger", "a")
    loop.advance(65)
    assert loop.runtime.receipts.verify().missed == 1

    loop.runtime.receipts.verify()
    loop.work()
    loop.pass_time(200)

    assert loop.arrived(STANDBY) == {"a": 1}


def test_a_repeated_trigger_is_said_again_with_its_newest_news(loop: Loop) -> None:
    loop.swallow(PRIMARY)
    loop.send("trigger", "a")
    loop.pass_time(40)
    loop.send("trigger", "a", summary="a is worse")

    loop.pass_time(60)

    assert loop.arrived(STANDBY) == {"a": 1}
    [entry] = [one for one in loop.sandbox.log() if one["routing_key"] == STANDBY]
    assert "worse" in str(entry)
    assert loop.is_proved()


def test_news_that_keeps_coming_does_not_put_it_off_for_ever(loop: Loop) -> None:
    loop.swallow(PRIMARY)
    for number in range(16):
        loop.send("trigger", "a", summary=f"number {number}")
        loop.pass_time(10)

    assert loop.arrived(STANDBY)["a"] >= 1
    assert loop.is_proved()


def test_a_webhook_that_comes_late_finds_the_alert_said_elsewhere_and_closes_it_when_it_says_so(loop: Loop) -> None:
    loop.swallow(PRIMARY)
    loop.send("trigger", "a")
    loop.pass_time(70)
    assert loop.arrived(STANDBY) == {"a": 1}
    at = loop.runtime.clock.now_ms()
    said = {"incident_id": "PLATE", "keys": ("a",), "at": at, "number": 900, "service_id": loop.home(PRIMARY)}

    loop.runtime.answers.observe(Observation(status="triggered", **said))
    loop.runtime.answers.observe(Observation(status="resolved", **{**said, "at": at + 1000}))
    loop.work()

    assert loop.status("a") == "resolved"
    assert loop.open_there() == {}
    assert loop.is_proved()


def test_a_growing_alert_of_a_group_is_sent_once_more_with_all_it_told(loop: Loop) -> None:
    """Service `crowd` has one channel only."""
    fault = loop.swallow(CROWD)
    loop.send("trigger", "a", "b", service="crowd", component="x")
    loop.runtime.delivery.digest()
    loop.work()
    loop.sandbox.control("DELETE", f"/faults/{fault}")
    sent = sum(loop.arrived(CROWD).values())
    assert sent

    loop.pass_time(90)

    assert sum(loop.arrived(CROWD).values()) >= 2 * sent
    [incident] = loop.sandbox.incidents()
    assert incident["status"] == "triggered"
    loop.pass_time(400)
    assert loop.client.exists(loop.keys.receipts) == 0
    assert loop.letters() == []
    assert loop.is_proved()


def test_the_story_says_what_was_missed_and_where_it_was_said_again(loop: Loop) -> None:
    loop.swallow(PRIMARY)
    [event_id] = loop.submit("trigger", "a")
    loop.work()
    loop.pass_time(70)

    told = [step.text for step in loop.runtime.audit.story(event_id)]

    assert told[-3:-1] == [
        "channel primary took it, and PagerDuty shows no incident of it; it is said again by channel standby",
        "attempt 1, to channel standby",
    ]


def test_a_swallowed_trigger_is_not_taken_for_the_incident_that_was_over_before_it(loop: Loop) -> None:
    loop.send("trigger", "a")
    loop.send("resolve", "a")
    loop.swallow(PRIMARY)
    loop.pass_time(10)
    loop.send("trigger", "a")

    loop.pass_time(15)
    loop.sync()
    loop.pass_time(40)
    assert loop.arrived(STANDBY) == {}
    loop.pass_time(10)

    assert loop.arrived(STANDBY) == {"a": 1}
    assert loop.is_proved()


def test_news_that_comes_after_its_incident_was_resolved_there_needs_an_incident_of_its_own(loop: Loop) -> None:
    loop.send("trigger", "a")
    loop.pass_time(5)
    loop.runtime.rest.incidents.resolve(loop.incident("a")["id"], sender="bot@example.com")
    loop.swallow(PRIMARY)
    loop.pass_time(10)
    loop.send("trigger", "a", summary="a is worse")

    loop.pass_time(120)

    assert loop.arrived(STANDBY) == {"a": 1}
    assert loop.is_proved()
