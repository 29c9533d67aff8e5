"""A restore of the state that is killed at any moment goes on when it is asked for again, and does nothing twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.single_flight import LEASE
from tests.acceptance.backup_world import BackupWorld
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox

ALERTS = 60
BEFORE_IT_WORKS = 0.4  # share of the time that goes by before anything is restored
RESTORE = ("backups", "restore", "--target", "state", "--yes")


@pytest.fixture
def world(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[BackupWorld]:
    with BackupWorld(tmp_path, server.url, sandbox, TOCSIN_BACKUPS__SHARE="1") as made:
        yield made


def restore(world: BackupWorld, kill_after: float | None = None) -> bool:
    """Run the program; whether it came to its end."""
    command = [sys.executable, "-m", "workers.cli", *RESTORE]
    with subprocess.Popen(
        command, cwd=ROOT, env=world.environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        if kill_after is not None:
            threading.Event().wait(kill_after)  # the moment is the point: nothing tells it
            process.send_signal(signal.SIGKILL)
        return process.wait() == 0


def kills(world: BackupWorld, count: int, seed: int) -> None:
    chance = random.Random(seed)
    world.send("trigger", *(f"k{number}" for number in range(ALERTS)))
    world.runtime.audit.seal()
    world.runtime.backups.service.create(["state"])
    world.lose_the_machine()
    assert restore(world)
    usual, wanted = measured(world), standing(world)
    killed = 0
    while killed < count:
        world.lose_the_machine()
        killed += not restore(world, kill_after=chance.uniform(BEFORE_IT_WORKS, 1.1) * usual)
        world.advance(round(LEASE.total_seconds()))
        assert restore(world)
        assert standing(world) == wanted
        assert not list((world.folder / "config" / "state").rglob("*.restoring"))


def measured(world: BackupWorld) -> float:
    """How long one takes, seconds."""
    world.lose_the_machine()
    started = time.monotonic()
    assert restore(world)
    return time.monotonic() - started


def standing(world: BackupWorld) -> dict[str, Any]:
    """What was restored: each alert, who has a timer, what the ledger says of it, the files."""
    state = world.folder / "config" / "state"
    entries = [entry for _, entry in world.client.xrange(world.keys.ledger)]
    return {
        "alerts": sorted(world.client.zrange(world.keys.alerts, 0, -1)),
        "timers": sorted(world.client.zrange(world.keys.escalations_due, 0, -1)),
        "uses": world.client.hgetall(world.keys.policy_uses),
        "told": sorted((entry["e"], entry["s"]) for entry in entries),
        "files": {path.name: path.read_bytes() for path in state.rglob("2*.jsonl")},
    }


def test_a_restore_that_is_killed_goes_on(world: BackupWorld) -> None:
    kills(world, 1, seed=1)


@pytest.mark.slow
def test_a_restore_that_is_killed_twenty_times_goes_on(world: BackupWorld) -> None:
    kills(world, 20, seed=2)
