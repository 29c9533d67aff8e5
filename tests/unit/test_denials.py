"""Refusals on record: the first of a kind at once, the rest as counts, and never more than a handful."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tasks.utils.actor import Actor
from workers.gateway.denials import MOST_AT_ONCE, MOST_KINDS, OTHERS, Denial, Denials

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.utils.audit_logger import Act

EVE = Actor("stranger", "unknown", "192.0.2.7")


def denial(number: int = 0) -> Denial:
    return Denial("api.denied", f"operation/{number}", EVE, "no good access token")


def told(script: Callable[[Denials], None], window: float = 3600.0) -> list[Act]:
    """What stands on record once the door is closed."""
    acts: list[Act] = []

    async def run() -> None:
        denials = Denials(acts.append, window)
        script(denials)
        await denials.close()

    asyncio.run(run())
    return acts


def test_the_first_of_a_kind_is_written_down_with_its_request() -> None:
    (act,) = told(lambda denials: denials.note(denial(), "request-1"))

    assert (act.action, act.outcome, act.actor, act.correlation) == ("api.denied", "denied", EVE, "request-1")
    assert act.detail == {"why": "no good access token"}


def test_what_follows_is_one_entry_with_a_count() -> None:
    def attack(denials: Denials) -> None:
        for _ in range(10_000):
            denials.note(denial())

    first, rest = told(attack)

    assert rest.detail["times"] == 9_999
    assert first.object == rest.object


def test_an_attack_under_ever_new_names_leaves_a_bounded_number_of_entries_and_loses_no_count() -> None:
    def attack(denials: Denials) -> None:
        for number in range(10_000):
            denials.note(denial(number))

    acts = told(attack)

    assert len(acts) == MOST_AT_ONCE + MOST_KINDS + 1
    assert sum(act.detail.get("times", 1) for act in acts) == 10_000
    assert acts[-1].object == OTHERS.object


def test_after_the_window_a_kind_is_new_again() -> None:
    def twice(denials: Denials) -> None:
        denials.note(denial(), "request-1")
        denials._end_window()
        denials.note(denial(), "request-2")

    assert sorted(act.correlation for act in told(twice)) == ["request-1", "request-2"]
