"""Ten thousand alerts wait in a hundred groups: what that costs the workers, and what Redis gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.digests import at_desk, fates, news, write_config
from tests.fleet import Fleet

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = ("alert", "delivery")
A_MESSAGE = 100
MEGABYTE = 1024 * 1024
RECORD = 300  # bytes; what is kept of an event that has ended: nine short fields
MOST_OF_OPEN = 0.6  # of what a waiting alert takes; the rest is the alert itself, which is open
MOST_OF_RESOLVED = 0.7  # with the records of two events; both are forgotten two days later


def resident(fleet: Fleet, group: str) -> float:
    """Resident memory of a worker, MB."""
    with open(f"/proc/{fleet.processes[group].pid}/statm") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * 4096 / MEGABYTE


def used(fleet: Fleet) -> float:
    """What Redis uses, MB; neither buffers of its clients nor the ledger, which is archived in its own time."""
    memory = fleet.client.info("memory")
    total = memory["used_memory"] - memory["mem_clients_normal"] - memory.get("mem_aof_buffer", 0)
    return (total - (fleet.client.memory_usage(fleet.keys.ledger, samples=0) or 0)) / MEGABYTE


def submit(fleet: Fleet, numbers: range, groups: int, action: str = "trigger") -> None:
    """Submit such news of these alerts, some a message."""
    for start in range(0, len(numbers), A_MESSAGE):
        fleet.submit(*(news(number, number % groups, action) for number in numbers[start : start + A_MESSAGE]))


def wave(fleet: Fleet, first: int, alerts: int, groups: int) -> None:
    """Submit so many alerts, and wait until all of them wait in their groups or have been told."""
    submit(fleet, range(first, first + alerts), groups)

    def are_in() -> bool:
        return int(fleet.client.zcard(fleet.keys.untold)) + sum(fates(fleet).values()) >= first + alerts

    fleet.wait(are_in, 120, "alerts are missing")


def flow(folder: Path, *, alerts: int, groups: int, wait: float, growth: float) -> None:
    """Two waves: the first warms everything up, the second is measured, and resolved in the end."""
    total = alerts + alerts // 10
    with Fleet(folder, TOCSIN_CONFIG_DIR=str(write_config(folder, wait=wait, size=500))) as fleet:
        fleet.start_workers(*GROUPS)
        wave(fleet, 0, alerts // 10, groups)
        fleet.wait(fleet.is_idle, wait + 60, "the first wave is not told")
        before = {group: resident(fleet, group) for group in GROUPS}
        empty = used(fleet)
        wave(fleet, alerts // 10, alerts, groups)
        full = used(fleet)
        peak = dict.fromkeys(GROUPS, 0.0)

        def is_over(events: int) -> bool:
            peak.update({group: max(peak[group], resident(fleet, group)) for group in GROUPS})
            return fleet.is_idle() and fleet.ended() >= events

        fleet.wait(lambda: is_over(total), wait + 120, "news waits for ever")
        told = used(fleet)
        submit(fleet, range(total), groups, "resolve")
        fleet.wait(lambda: is_over(2 * total), wait + 120, "resolves wait for ever")
        over = used(fleet)
        grown = {group: peak[group] - before[group] for group in GROUPS}
        print(
            f"workers grew by {grown}; Redis {empty:.1f} MB, full {full:.1f}, told {told:.1f}, resolved {over:.1f} MB"
        )
        desk = at_desk(fleet)
        assert len(desk.first_arrival) == 2 * total
        assert (desk.extras, desk.told_twice()) == (0, [])
        assert all(megabytes <= growth for megabytes in grown.values())
        assert_released(fleet, 2 * total)
        assert told - empty <= MOST_OF_OPEN * (full - empty)
        assert over - empty <= MOST_OF_RESOLVED * (full - empty)


def assert_released(fleet: Fleet, events: int) -> None:
    """No news is left, and of each event a short record that takes as little room as its fields."""
    assert not list(fleet.client.scan_iter(f"{fleet.keys.prefix}buffer:*", count=10_000))
    assert not fleet.client.zcard(fleet.keys.untold)
    records = list(fleet.client.scan_iter(f"{fleet.keys.event('*')}", count=10_000))
    pipe = fleet.client.pipeline(transaction=False)
    for key in records:
        pipe.object("encoding", key)
        pipe.memory_usage(key)
    found = pipe.execute()
    assert len(records) >= events
    assert set(found[::2]) == {"listpack"}
    assert max(found[1::2]) <= RECORD


def test_a_thousand_alerts_that_wait_cost_the_workers_nothing(tmp_path: Path) -> None:
    flow(tmp_path, alerts=1000, groups=20, wait=4, growth=20)


@pytest.mark.slow
def test_ten_thousand_alerts_in_a_hundred_groups_for_a_minute(tmp_path: Path) -> None:
    flow(tmp_path, alerts=10_000, groups=100, wait=60, growth=20)
