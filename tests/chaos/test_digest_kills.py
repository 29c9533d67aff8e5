"""Workers are killed while alerts are told together: every alert is in exactly one message, and a cut one is repeated as it was."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

import pytest

from tasks.audit.service import AuditRules, AuditService
from tests.chaos.digests import Told, at_desk, fates, news, percentile, write_config
from tests.chaos.kit.stage import QUICK
from tests.fleet import Fleet

if TYPE_CHECKING:
    from pathlib import Path

SEED = int(os.environ.get("SEED", "1"))
GROUPS = ("alert", "delivery")
WAIT = 3.0
A_MESSAGE = 10


def flow(folder: Path, *, alerts: int, groups: int, kills: int, seconds: float, seed: int) -> None:
    """Submit alerts of many groups over so many seconds, kill workers meanwhile, then ask the witnesses."""
    chance = random.Random(seed)
    with Fleet(folder, TOCSIN_CONFIG_DIR=str(write_config(folder, wait=WAIT)), **QUICK) as fleet:
        fleet.start_workers(*GROUPS)
        messages = range(0, alerts, A_MESSAGE)
        deaths = set(chance.sample(list(messages)[1:], kills))
        accepted: dict[str, float] = {}
        for first in messages:
            if first in deaths:
                group = chance.choice(GROUPS)
                fleet.kill(group)
                fleet.start("worker", group, name=group)
            batch = range(first, min(alerts, first + A_MESSAGE))
            sent_at = time.time()
            message = fleet.submit(*(news(number, number % groups) for number in batch))
            accepted |= {f"{message}:{place}": sent_at for place in range(len(batch))}
            fleet.wait(lambda sent_at=sent_at: time.time() >= sent_at + seconds / len(messages), 60, "")
        fleet.wait(lambda: sum(fates(fleet).values()) >= alerts, 120, "news waits for ever")
        judge(fleet, accepted, kills, groups)


def judge(fleet: Fleet, accepted: dict[str, float], kills: int, groups: int) -> None:
    """The driver's list, the desk's log and the ledger agree."""
    told = at_desk(fleet)
    assert fates(fleet) == {"sent": len(accepted)}
    assert set(told.first_arrival) == set(accepted)
    assert told.told_twice() == []
    assert told.changed == []
    assert told.extras <= kills * fleet.settings.workers.delivery.concurrency
    proof = AuditService(fleet.client, fleet.keys, AuditRules(fleet.folder / "audit")).prove()
    assert proof.holds, proof.broken
    assert (proof.delivered, proof.pending.count) == (len(accepted), 0)
    if kills == 0:
        assert told.extras == 0
        in_time(told, accepted, groups)


def in_time(told: Told, accepted: dict[str, float], groups: int) -> None:
    """A group's first word within a second, everything else within its wait and a second more."""
    first_word: dict[str, float] = {}
    late = []
    for event, arrived in told.first_arrival.items():
        group = str(int(told.keys[event].partition("-")[2]) % groups)
        took = arrived - accepted[event]
        first_word[group] = min(first_word.get(group, took), took)
        late.append(took)
    words, all_ = list(first_word.values()), sorted(late)
    print(
        f"first words: p50 {percentile(words, 0.5):.3f} s, p99 {percentile(words, 0.99):.3f} s; slowest {all_[-1]:.3f} s"
    )
    assert percentile(words, 0.99) <= 1.0
    assert all_[-1] <= WAIT + 1.0


def test_every_alert_is_told_once_while_workers_are_killed(tmp_path: Path) -> None:
    flow(tmp_path, alerts=200, groups=10, kills=2, seconds=5, seed=1)


@pytest.mark.alone
def test_the_first_word_comes_at_once_and_no_bundle_late(tmp_path: Path) -> None:
    flow(tmp_path, alerts=200, groups=10, kills=0, seconds=6, seed=1)


@pytest.mark.slow
def test_two_thousand_alerts_in_fifty_groups_and_twenty_kills(tmp_path: Path) -> None:
    flow(tmp_path, alerts=2000, groups=50, kills=20, seconds=60, seed=SEED)


@pytest.mark.slow
@pytest.mark.alone
def test_two_thousand_alerts_in_fifty_groups_in_time(tmp_path: Path) -> None:
    flow(tmp_path, alerts=2000, groups=50, kills=0, seconds=30, seed=SEED)
