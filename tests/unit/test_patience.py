"""A server that refuses is come back to ever more slowly, and said so seldom."""

from __future__ import annotations

from workers.patience import Patience


def test_pauses_grow_to_three_seconds_and_no_further() -> None:
    patience = Patience()

    assert [patience.pause(now) for now in range(8)] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.0, 3.0]


def test_a_refusal_after_a_calm_is_the_first_again() -> None:
    patience = Patience()
    for now in range(5):
        patience.pause(now)

    assert patience.pause(20) == 0.5


def test_the_same_reason_is_said_once_in_half_a_minute_and_another_one_at_once() -> None:
    patience = Patience()

    said = [
        patience.is_news(why, now)
        for why, now in [("full", 0), ("full", 1), ("read-only", 2), ("full", 3), ("full", 29)]
    ]

    assert said == [True, False, True, True, False]
    assert patience.is_news("full", 34)
