"""What an answer of PagerDuty's Events API means, and what it is sent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tasks.notifications.channels.pagerduty import PagerDutyEvents, wire_event
from tasks.notifications.channels.posting import Answer
from tasks.notifications.channels.protocol import Address
from tasks.utils.identifiers import wire_key

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND = timedelta(seconds=1)
ALERT = {
    "service": "shop",
    "event_action": "trigger",
    "dedup_key": "disk",
    "payload": {"summary": "full", "source": "web1", "severity": "error", "custom_details": {"free": 0}},
    "client": "probe",
}


@pytest.fixture(scope="module")
def channel() -> Iterator[PagerDutyEvents]:
    made = PagerDutyEvents(deadline=SECOND, attempts=1, throttle_pause=45 * SECOND, key_pause=600 * SECOND)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("status", "text", "verb", "reason"),
    [
        (202, "", "sent", ""),
        (400, '{"errors": ["Length of \'routing_key\' is incorrect"]}', "refused", "key_rejected"),
        (400, '{"errors": ["Invalid routing key"]}', "refused", "key_rejected"),
        (400, '{"errors": ["\'summary\' is too long"]}', "minimal", "content_rejected"),
        (401, "", "refused", "key_rejected"),
        (403, "", "refused", "key_rejected"),
        (404, "", "refused", "http:404"),
        (408, "", "retry", "http:408"),
        (413, "", "minimal", "content_rejected"),
        (407, "", "retry", "http:407"),
        (429, "", "pause", "throttled"),
        (500, "", "retry", "http:500"),
        (503, "", "retry", "http:503"),
        (302, "", "retry", "http:302"),
        (200, "", "retry", "http:200"),
    ],
)
def test_every_answer_has_one_meaning(channel: PagerDutyEvents, status: int, text: str, verb: str, reason: str) -> None:
    outcome = channel.classify(Answer(status, {}, text), minimal=False)

    assert (outcome.verb, outcome.reason) == (verb, reason)


def test_content_refused_in_minimal_form_too_is_refused(channel: PagerDutyEvents) -> None:
    assert channel.classify(Answer(400, {}, "still odd"), minimal=True).verb == "refused"


@pytest.mark.parametrize(
    ("headers", "pause_ms"),
    [
        ({}, 45_000),
        ({"retry-after": "30"}, 30_000),
        ({"ratelimit-reset": "12"}, 12_000),
        ({"retry-after": "0"}, 1_000),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 45_000),
        ({"retry-after": "inf"}, 45_000),
        ({"retry-after": "999999999"}, 600_000),
    ],
)
def test_a_throttled_key_rests_as_long_as_it_is_told_within_reason(
    channel: PagerDutyEvents, headers: dict[str, str], pause_ms: int
) -> None:
    assert channel.classify(Answer(429, headers, ""), minimal=False).delay_ms == pause_ms


def test_the_wire_has_the_key_and_not_the_service() -> None:
    event = wire_event(ALERT, "k" * 32)

    assert event["routing_key"] == "k" * 32
    assert event["payload"] == ALERT["payload"]
    assert event["client"] == "probe"
    assert "service" not in event


def test_minimal_form_has_nothing_that_could_be_refused() -> None:
    event = wire_event(ALERT, "k" * 32, minimal=True)

    assert event == {
        "routing_key": "k" * 32,
        "event_action": "trigger",
        "dedup_key": "disk",
        "payload": {"summary": "full", "source": "web1", "severity": "error"},
    }


def test_a_resolve_keeps_a_whole_payload_for_rules_to_route_by_and_drops_an_odd_one() -> None:
    whole = {**ALERT, "event_action": "resolve"}
    odd = {**whole, "payload": {"summary": "ok", "source": "web1", "severity": "green"}}

    assert wire_event(whole, "k" * 32)["payload"] == ALERT["payload"]
    assert "payload" not in wire_event(odd, "k" * 32)


def test_dedup_keys_are_whole_up_to_255_characters_and_then_a_digest() -> None:
    assert wire_key("k" * 255) == "k" * 255
    assert len(wire_key("k" * 256)) == len("sha256:") + 64
    assert wire_key("k" * 256) != wire_key("k" * 257)


def test_a_retired_key_is_found_and_a_forgotten_one_gives_way_to_the_current() -> None:
    address = Address("page", "pagerduty", "http://x", {"new": "key-new", "old": "key-old"})

    assert address.current_key_id == "new"
    assert address.key("old") == "key-old"
    assert address.key("gone") == "key-new"


def test_a_change_event_goes_without_action_and_key_and_in_minimal_form_as_summary_and_source() -> None:
    payload = {"summary": "deployed", "source": "ci", "custom_details": {"build": 7}}
    change = {"service": "shop", "event_action": "change", "payload": payload, "team": "web"}

    assert wire_event(change, "k") == {"routing_key": "k", "payload": payload, "team": "web"}
    assert wire_event(change, "k", minimal=True) == {
        "routing_key": "k",
        "payload": {"summary": "deployed", "source": "ci"},
    }


def test_only_the_current_key_decides_whether_a_place_takes_changes() -> None:
    assert Address("a", "pagerduty", "http://x", {"new": "a1" * 16, "old": "R1" * 16}).takes_changes
    assert not Address("a", "pagerduty", "http://x", {"new": "R1" * 16, "old": "a1" * 16}).takes_changes
