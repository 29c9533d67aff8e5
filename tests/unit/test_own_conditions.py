"""What counts as amiss: one condition at a time, on facts made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.health.conditions import OF_FLEET, OF_HERE, RULES, Here, Limits, breaks
from tasks.health.facts import Facts, Failure, LeftOut
from tasks.utils.places import Place

NOW = 1_800_000_000_000
SECOND = 1000
MINUTE = 60 * SECOND
PLACES = {
    "primary|k1": Place("pagerduty-1", "pagerduty", "shop via primary", "team shop"),
    "primary|k2": Place("pagerduty-1", "pagerduty", "pay via primary", ""),
    "chat|k3": Place("slack-2", "slack", "shop via chat", ""),
}
LIMITS = Limits(
    late_after=MINUTE,
    failing_after=2 * MINUTE,
    memory_percent=80,
    spool_percent=50,
    spool_bytes=1000,
    dead_letters=1,
    quotas={"shop": 100, "pay": 0},
    places=PLACES,
)
WELL = Facts(
    NOW,
    memory_used=1,
    memory_limit=100,
    pulse={"asked": NOW - SECOND, "alert": NOW, "delivery": NOW},
    rates={"shop": 100, "pay": 100_000},
)


def fails(since: int, *, last: int = 0, count: int = 9, outcome: str = "retry") -> Failure:
    return Failure(NOW - since, NOW - last, count, outcome, "http:503")


def found(**facts: Any) -> list[str]:
    return [one.id for check in OF_FLEET for one in check(replace(WELL, **facts), LIMITS)]


def told(**facts: Any) -> str:
    return " ".join(one.summary for check in OF_FLEET for one in check(replace(WELL, **facts), LIMITS))


def test_nothing_is_amiss_with_a_fleet_that_is_well() -> None:
    assert found() == []
    assert found(pulse={}, rates={}, memory_limit=0) == []  # nor with one that is new


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"waiting": {"alert": NOW - 61 * SECOND}}, ["workers_late:alert"]),
        ({"waiting": {"delivery": NOW - 61 * SECOND}}, ["workers_late:delivery"]),
        ({"waiting": {"alert": NOW - 59 * SECOND, "delivery": NOW + MINUTE}}, []),
        (
            {"pulse": {"asked": NOW - 61 * SECOND, "alert": NOW - MINUTE * 2, "delivery": NOW - MINUTE * 2}},
            ["workers_late:alert"],
        ),
        (
            {"pulse": {"asked": NOW - 61 * SECOND, "alert": NOW, "delivery": NOW - MINUTE * 2}},
            ["workers_late:delivery"],
        ),
        ({"waiting": {"webhook": NOW - 61 * SECOND}}, ["workers_late:webhook"]),
        ({"webhooks_disabled_at": NOW - MINUTE}, ["webhooks_disabled"]),
        ({"keys_due": {"api": "one, known for 170 days, at most 180 days"}}, ["keys_due:api"]),
        ({"rotations_stuck": {"0a1b2c": "it waits\nresume it"}}, ["rotation_stuck:0a1b2c"]),
        ({"webhooks_disabled_at": NOW - 16 * MINUTE}, []),
        ({"missed_at": NOW - MINUTE, "misses": 3}, ["pages_missed"]),
        ({"missed_at": NOW - 16 * MINUTE, "misses": 3}, []),
        ({"timers_due": NOW - 11 * SECOND}, ["timers_late"]),
        ({"timers_due": NOW - SECOND}, []),
        ({"exhausted_at": NOW - MINUTE}, ["nobody_answered"]),
        ({"exhausted_at": NOW - 11 * MINUTE}, []),
        ({"memory_used": 80}, ["redis_memory"]),
        ({"memory_used": 79}, []),
        ({"disk_fault": "aof_last_write_status:err"}, ["redis_disk"]),
        ({"deaths": 1}, ["dead_letters"]),
        ({"broken": 3}, ["proof_broken"]),
        ({"missed": ["outbox-sweep"]}, ["schedule_late"]),
        (
            {"left_out": {"backup": LeftOut(NOW - 59 * MINUTE, NOW - 70 * MINUTE, is_caught_up=True)}},
            ["runs_missed"],
        ),
        ({"left_out": {"backup": LeftOut(NOW, NOW - 9 * MINUTE, is_caught_up=True)}}, []),
        ({"left_out": {"backup": LeftOut(NOW, NOW - MINUTE, is_caught_up=False)}}, ["runs_missed"]),
        ({"left_out": {"backup": LeftOut(NOW - 61 * MINUTE, NOW - 90 * MINUTE, is_caught_up=False)}}, []),
        ({"rates": {"shop": 101}}, ["sender_over_quota:shop"]),
        ({"failing": {"primary|k1": fails(3 * MINUTE, outcome="refused")}}, ["key_rejected:k1"]),
        ({"failing": {"primary|k1": fails(48 * 60 * MINUTE, last=25 * 60 * MINUTE, outcome="refused")}}, []),
        ({"failing": {"primary|gone": fails(3 * MINUTE)}}, []),
    ],
)
def test_each_condition_has_its_bound(facts: dict[str, Any], expected: list[str]) -> None:
    assert found(**facts) == expected


def test_a_side_that_is_down_for_several_services_is_told_once() -> None:
    down = {"primary|k1": fails(3 * MINUTE), "primary|k2": fails(4 * MINUTE), "chat|k3": fails(MINUTE)}

    assert found(failing=down) == ["delivery_failing:pagerduty-1"]
    assert told(failing=down) == (
        "Nothing gets through by pagerduty since 4 minutes (http:503): pay via primary, shop via primary"
    )


def test_a_channel_that_failed_once_or_was_not_tried_since_is_not_called_down() -> None:
    assert found(failing={"chat|k3": fails(9 * MINUTE, count=1)}) == []
    assert found(failing={"chat|k3": fails(60 * MINUTE, last=16 * MINUTE)}) == []
    assert found(failing={"chat|k3": fails(60 * MINUTE, last=14 * MINUTE)}) == ["delivery_failing:slack-2"]


def test_a_side_that_takes_one_key_again_is_not_called_down_for_what_another_one_failed_before() -> None:
    over = fails(MINUTE, last=MINUTE, count=0, outcome="sent")

    assert found(failing={"primary|k1": fails(9 * MINUTE, last=2 * MINUTE), "primary|k2": over}) == []
    assert found(failing={"primary|k1": fails(9 * MINUTE), "primary|k2": over}) == ["delivery_failing:pagerduty-1"]


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        (Here(), []),
        (Here(fault="ConnectionError", answers=False), ["redis_away"]),
        (Here(fault="OOM", answers=True), ["redis_refuses"]),
        (Here(spooled=500), ["spool_filling"]),
        (Here(spooled=499), []),
    ],
)
def test_what_one_machine_sees(here: Here, expected: list[str]) -> None:
    assert [one.id for check in OF_HERE for one in check(here, LIMITS)] == expected


def test_every_condition_is_told_by_a_way_of_its_own() -> None:
    checks = {check.__name__ for check in (*OF_HERE, *OF_FLEET)}

    assert checks == set(RULES)


def test_what_the_inbox_cannot_carry_goes_past_it() -> None:
    assert {name for name, rule in RULES.items() if rule.way == "direct"} == {
        "redis_away",
        "redis_refuses",
        "spool_filling",
        "workers_late",
        "timers_late",
    }


def test_the_outside_is_told_nothing_while_the_chain_is_broken() -> None:
    own = frozenset({"pagerduty-1", "slack-2"})
    down = {"primary|k1": fails(3 * MINUTE), "chat|k3": fails(3 * MINUTE)}

    assert breaks(WELL, LIMITS, own) == []
    assert breaks(replace(WELL, pulse={"delivery": NOW - 3 * MINUTE}), LIMITS, own) == [
        "no pulse has come through the queues"
    ]
    assert breaks(replace(WELL, broken=1), LIMITS, own) == ["the promise is broken"]
    assert breaks(replace(WELL, failing=down), LIMITS, own) == ["no channel for Tocsin's own alerts gets through"]
    assert breaks(replace(WELL, failing={"primary|k1": down["primary|k1"]}), LIMITS, own) == []
