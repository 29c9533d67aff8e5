"""The bar: a week in which three zones change their clocks; every step comes at the wall time that was promised."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance.week_world import DAY, HOUR, ZONES, Week, at, promised
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.keys import Keys
    from tests.acceptance.week_world import Taken
    from tests.conftest import Sandbox

HALF_A_MINUTE = timedelta(seconds=30)  # what the clock may go on by itself between being turned and being looked at
LASTS = 9 * DAY + 12 * HOUR
SPRING = (
    datetime.fromisoformat("2026-03-27T18:00Z"),
    {  # when each zone changes, and what its wall shows on its alert's night
        "beirut": ("2026-03-28T22:00Z", ["Sat 22:00", "Sun 03:00", "(Sun 04:00)", "Sun 09:00", "Sun 17:30"]),
        "paris": ("2026-03-29T01:00Z", ["Sat 22:00", "Sun 03:00", "(Sun 04:00)", "Sun 09:00", "Sun 17:30"]),
        "howe": ("2026-04-04T15:00Z", ["Sat 22:00", "Sun 01:30", "(Sun 02:30)", "Sun 09:00", "Sun 17:30"]),
    },
)
AUTUMN = (
    datetime.fromisoformat("2026-10-23T18:00Z"),
    {
        "beirut": ("2026-10-24T21:00Z", ["Sat 22:00", "Sun 01:00", "(Sun 02:00)", "Sun 09:00", "Sun 17:30"]),
        "paris": ("2026-10-25T01:00Z", ["Sat 22:00", "Sun 02:00", "(Sun 02:00)", "Sun 09:00", "Sun 17:30"]),
        "york": ("2026-11-01T06:00Z", ["Sat 22:00", "Sun 01:00", "(Sun 02:00)", "Sun 09:00", "Sun 17:30"]),
    },
)


@pytest.fixture
def week(client: Any, keys: Keys, sandbox: Sandbox) -> Iterator[Week]:
    for key in (PRIMARY_KEY, STANDBY_KEY):
        sandbox.register(key, key)
    week = Week(client, keys, sandbox.url)
    yield week
    week.delivery.close()


@pytest.mark.parametrize(("begins", "changes"), [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_every_step_of_a_week_in_which_clocks_change_comes_at_the_promised_wall_time(
    week: Week, sandbox: Sandbox, begins: datetime, changes: dict[str, tuple[str, list[str]]]
) -> None:
    live(week, sandbox, begins, changes)

    told: Counter[str] = Counter()
    for service, (change, night) in changes.items():
        for key in (f"{service}-early", f"{service}-at-night"):
            began, taken = week.steps_of(service, key)
            check(began, taken, ZoneInfo(ZONES[service]))
            told[key] = sum(not one.whom.startswith("left out") for one in taken)
            assert taken[-1].at > begins + LASTS - DAY
        _, taken = week.steps_of(service, f"{service}-early")
        assert shown(taken, ZONES[service], datetime.fromisoformat(change)) == night
    arrived = Counter(entry["dedup_key"] for entry in sandbox.log() if entry["routing_key"] == STANDBY_KEY)
    assert arrived == told


def live(week: Week, sandbox: Sandbox, begins: datetime, changes: dict[str, tuple[str, list[str]]]) -> None:
    """From then on: in each zone an alert at the beginning, and one half an hour before its clocks change."""
    news = [(begins, service, f"{service}-early") for service in changes]
    for service, (change, _) in changes.items():
        news.append((datetime.fromisoformat(change) - HOUR / 2, service, f"{service}-at-night"))
    news.sort()
    while (due := week.next_due() or begins) < begins + LASTS:
        if news and news[0][0] <= due:
            moment, service, key = news.pop(0)
            week.turn_to(moment)
            week.begin(service, key)
        else:
            week.turn_to(due - HALF_A_MINUTE)
            assert week.advance() == 0, "a step came too early"
            week.turn_to(due)
            week.advance()
        sandbox.control(
            "POST", "/clock", {"advance_seconds": 60}
        )  # or its limit on events counts nine days as one minute
        week.deliver()


def check(began: datetime, taken: list[Taken], zone: ZoneInfo) -> None:
    """Each step came when a patient watcher of the wall's clock would have taken it."""
    before = began
    for number, one in enumerate(taken):
        due, reaches = promised(number, before, zone)
        assert abs(one.at - due) < HALF_A_MINUTE, (number, one, due)
        assert one.whom.startswith("left out") is not reaches, one
        before = one.at


def shown(taken: list[Taken], zone: str, change: datetime) -> list[str]:
    """What the wall showed at the steps from the evening before the change on, those left out in brackets."""
    evening = at(zone, f"{(change - 4 * HOUR).astimezone(ZoneInfo(zone)):%Y-%m-%d}T21:59")
    words = []
    for one in taken:
        if one.at >= evening:
            word = f"{one.at.astimezone(ZoneInfo(zone)):%a %H:%M}"
            words.append(f"({word})" if one.whom.startswith("left out") else word)
    return words[:5]
