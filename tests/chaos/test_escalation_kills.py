"""Workers die and the server restarts while alerts escalate: every transition takes effect once or is skipped by name, and none is lost."""

from __future__ import annotations

import os
import random
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import redis

from tasks.utils.clock import MovableClock
from tests.escalation_fleet import STANDBY, EscalationFleet, uid

if TYPE_CHECKING:
    from pathlib import Path

SEED = int(os.environ.get("SEED", "1"))
WORKERS = ("delivery", "delivery-2", "alert")
NOTHING, A_LEASE = timedelta(0), timedelta(seconds=31)
UNANSWERED = ["started", "escalated one", "escalated two", "ended exhausted"]


def flow(
    folder: Path, *, many: int, kills: int, restarts: int, first: str, second: str, skips: timedelta = NOTHING
) -> None:
    """Escalate, kill, restart, answer some; then judge by the ledger, by what arrived, and by the proof.

    `skips`: by so much the clock is set forward after the last blow, so that nobody need wait for the leases of the dead.
    """
    dice = random.Random(SEED)
    keys = [f"key-{number}" for number in range(many)]
    answered = {key: dice.choice(("acknowledge", "resolve")) for key in keys if dice.random() < 0.3}
    with EscalationFleet(folder, first=first, second=second) as fleet:
        for name in WORKERS:
            fleet.start("worker", name.partition("-")[0], name=name)
        fleet.wait_for_workers(len(WORKERS))
        for start in range(0, many, 100):
            fleet.tell("trigger", *keys[start : start + 100])
        fleet.wait(lambda: len(fleet.stories()) == many, 90, "not all are accepted")
        blows = ["kill"] * kills + ["restart"] * restarts
        dice.shuffle(blows)
        left, taken = list(answered.items()), []  # they answer before, between, and after the steps
        for number, blow in enumerate(blows):
            share = left[number :: len(blows)]
            for action in ("acknowledge", "resolve"):
                fleet.tell(action, *(key for key, wanted in share if wanted == action))
            wait_for_steps(fleet, 2 * (many - len(answered)) * number // len(blows))
            time.sleep(dice.uniform(0, 0.3))  # the blow comes at any moment
            taken.append(steps_taken(fleet))
            strike(fleet, blow, dice)
        MovableClock(fleet.client, fleet.keys).advance(skips)
        fleet.wait(lambda: is_over(fleet), 240, "escalations never end")
        judge(fleet, keys, answered)
        print({"blows": list(zip(blows, taken, strict=True))})
        assert {bool(one) for one, _ in taken} == {bool(two) for _, two in taken} == {False, True}, taken


def wait_for_steps(fleet: EscalationFleet, goal: int) -> None:
    """Until so many steps are taken, so that blows fall before, amid and between all of them."""

    def is_reached() -> bool:
        fleet.revive(*WORKERS)
        return sum(steps_taken(fleet)) >= goal

    fleet.wait(is_reached, 90, f"{goal} steps are not taken")


def steps_taken(fleet: EscalationFleet) -> tuple[int, int]:
    """How often the first and the second step have been taken by now."""
    told = [word for story in fleet.stories().values() for word in story]
    return told.count("escalated one"), told.count("escalated two")


def strike(fleet: EscalationFleet, blow: str, dice: random.Random) -> None:
    """One process dies."""
    if blow == "restart":
        fleet.server.kill()
        fleet.server.restart()
        return
    victim = dice.choice(WORKERS)
    fleet.kill(victim)
    fleet.start("worker", victim.partition("-")[0], name=victim)


def is_over(fleet: EscalationFleet) -> bool:
    """Whether nothing goes on by itself any more and everything is sent; workers that ended with the server are started anew."""
    fleet.revive(*WORKERS)
    try:
        return fleet.alive() == 0 and fleet.is_idle()
    except redis.RedisError:
        return False


def judge(fleet: EscalationFleet, keys: list[str], answered: dict[str, str]) -> None:
    """Three witnesses: what was asked for, the ledger, the other side's log."""
    stories, arrived, unsaid = fleet.stories(), fleet.arrivals(STANDBY), fleet.steps_unsaid()
    for key in keys:
        story = stories[uid(key)]
        assert len(story) == len(set(story)), (key, story)  # nothing took effect twice
        if key not in answered:
            assert story == UNANSWERED, (key, story)
            assert arrived[key] >= 1, key
        else:
            allowed = {"ended resolved", "ended exhausted", "stopped acknowledged"}
            assert story[-1] in allowed, (key, story)
        is_unsaid = answered.get(key) == "resolve" and uid(key) in unsaid
        assert arrived[key] or "escalated one" not in story or is_unsaid, (key, story)
    proof = fleet.proof()
    assert (proof["verdict"], proof["broken_count"]) == ("holds", 0), proof["broken"]
    told = proof["escalations"]
    assert told["started"] == len(keys) == told["pending"] + sum(told["ended"].values())
    print({"alerts": len(keys), "answered": len(answered), **told, "arrived": sum(arrived.values())})


def test_no_escalation_is_lost_or_doubled_by_kills_and_a_restart(tmp_path: Path) -> None:
    flow(tmp_path, many=60, kills=4, restarts=1, first="3s", second="4s", skips=A_LEASE)


@pytest.mark.slow
def test_no_escalation_of_many_is_lost_or_doubled_by_kills_and_restarts(tmp_path: Path) -> None:
    flow(tmp_path, many=500, kills=16, restarts=2, first="5s", second="6s")
