"""People look at dead letters: by group, by filter, and at what became of their alerts meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tasks.notifications.letter_filter import LetterFilter
from tests.acceptance.letter_kit import HOUR, ids, poisoned, refuse_all
from tests.pipeline import Pipeline, alert

if TYPE_CHECKING:
    from tasks.notifications.dead_letters import DeadLetters
    from tasks.notifications.models import DeadLetter
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox


def test_letters_are_counted_by_destination_and_reason_with_their_times(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    refuse_all(pipeline, sandbox, clock, alert("a"), alert("b"))
    pipeline.submit({"event_action": "nonsense"})
    clock.advance(HOUR)
    refuse_all(pipeline, sandbox, clock, {**alert("c"), "service": "solo"}, alert("d"))

    groups = letters.groups()

    told = [(one.service, one.reason, one.count) for one in groups]
    assert told == [("shop", "http:400", 3), ("", "invalid", 1), ("solo", "http:400", 1)]
    assert groups[0].newest - groups[0].oldest >= HOUR
    assert groups[0].destination == "shop"


@pytest.mark.parametrize(
    ("wish", "fits"),
    [
        ({"service": "shop"}, "ab"),
        ({"service": "solo"}, "c"),
        ({"severity": "warning"}, "b"),
        ({"summary": "A IS in"}, "a"),
        ({"action": "resolve"}, ""),
        ({"channel": "standby"}, "ab"),
        ({"channel": "primary"}, "c"),
        ({"reason": "nothing"}, ""),
        ({}, "abc"),
    ],
)
def test_a_filter_fits_by_every_field(
    pipeline: Pipeline,
    sandbox: Sandbox,
    clock: MovableClock,
    letters: DeadLetters,
    wish: dict[str, str],
    fits: str,
) -> None:
    alerts = [alert("a"), alert("b", severity="warning"), {**alert("c"), "service": "solo"}]
    named = dict(zip("abc", refuse_all(pipeline, sandbox, clock, *alerts), strict=True))

    assert set(ids(letters.walk(LetterFilter(**wish)))) == {named[name] for name in fits}


def test_a_filter_fits_by_the_time_of_death(pipeline: Pipeline, clock: MovableClock, letters: DeadLetters) -> None:
    [old] = poisoned(pipeline, alert("a"), message="old")
    clock.advance(2 * HOUR)
    [new] = poisoned(pipeline, alert("b"), message="new")
    middle = clock.now() - HOUR

    assert ids(letters.walk(LetterFilter(since=middle))) == [new]
    assert ids(letters.walk(LetterFilter(until=middle))) == [old]
    assert letters.growth(HOUR) == 1
    assert letters.growth(3 * HOUR) == 2


def test_hundreds_of_one_moment_are_walked_once_each_in_both_directions(
    pipeline: Pipeline, client: Any, keys: Keys, letters: DeadLetters
) -> None:
    buried = poisoned(pipeline, *(alert(f"k{number}") for number in range(350)))
    client.zadd(keys.dead, dict.fromkeys(buried[:250], 1e12))

    down, up = ids(letters.walk()), ids(letters.walk(oldest_first=True))

    assert sorted(down) == sorted(buried)
    assert up == down[::-1]


def test_a_letter_whose_alert_was_resolved_meanwhile_says_so(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    [dead, other] = refuse_all(pipeline, sandbox, clock, alert("disk"), alert("cpu"))
    pipeline.submit(alert("disk", "resolve"))

    assert (letters.get(dead).meanwhile, letters.get(other).meanwhile) == ("resolved", "")
    assert (letters.groups()[0].count, letters.groups()[0].resolved) == (2, 1)


def test_a_letter_that_newer_news_has_overtaken_says_so(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    [dead] = refuse_all(pipeline, sandbox, clock, alert("disk", summary="old"))
    pipeline.submit(alert("disk", summary="new"))

    assert letters.get(dead).meanwhile == "overtaken"


def test_a_preview_shows_no_secret(pipeline: Pipeline, letters: DeadLetters) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    details = {"password": "sesame", "url": f"https://x:{secret}@host/", "list": [{"api_token": "t"}], "note": secret}
    [dead] = poisoned(pipeline, alert("a", custom_details=details))

    letter: DeadLetter = letters.get(dead)

    shown = letter.model_dump_json()
    assert "sesame" not in shown
    assert secret not in shown
    assert letter.alert["payload"]["custom_details"]["list"] == [{"api_token": "(not shown)"}]


def test_a_filter_must_be_made_of_what_there_is() -> None:
    with pytest.raises(ValueError, match="reasn"):
        LetterFilter.model_validate({"reasn": "x"})
    with pytest.raises(ValueError, match="timezone"):
        LetterFilter(since=datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))
