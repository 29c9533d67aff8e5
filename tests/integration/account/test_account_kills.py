"""A restore, killed again and again while it makes things."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.account.kit import by_kind, made_up, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.backups.items import Item
    from tasks.utils.rest.client import RestClient
    from tests.integration.sandbox.kit import SandboxProcess

WRITES = ("POST", "PUT")


class Restoring:
    """One backup on its way into one account, run by run."""

    def __init__(self, server: Server, target: SandboxProcess, items: list[Item], folder: Path, settle: float) -> None:
        self.target, self.items = target, items
        path = folder / "items"
        path.write_text(json.dumps([[item.kind, item.id, item.document] for item in items]))
        module = "tests.integration.account.restoring"
        journal = str(folder / "journal")
        self._command = [sys.executable, "-m", module, server.url, target.url, str(path), journal, str(settle)]

    def killed_after(self, writes: int) -> bool:
        """Run until PagerDuty has taken so many writes; False where the run ended before."""
        before = self._writes()
        process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            if self._writes() - before >= writes:
                process.kill()
                process.wait()
                return True
            time.sleep(0.001)  # as often as the sandbox can answer beside its work
        return False

    def finished(self) -> list[str]:
        """Run to the end; returns the differences."""
        done = subprocess.run(self._command, capture_output=True, text=True, timeout=120, check=True)
        found: list[str] = json.loads(done.stdout)
        return found

    def _writes(self) -> int:
        counts = self.target.control("GET", "/state")["log"]["counts"]
        return int(counts.get("written", 0))


@pytest.fixture
def restoring(
    rest: RestClient, source: SandboxProcess, target: SandboxProcess, server: Server, tmp_path: Path
) -> Callable[..., Restoring]:
    """Makes up an account, backs it up, and gets ready to restore it where lists are so many seconds behind."""

    def make(delay: float = 0.0, **counts: int) -> Restoring:
        made_up(source, webhook_subscriptions=1, **counts)
        target.control("POST", "/limits", {"read_delay_seconds": delay})
        return Restoring(server, target, read(rest), tmp_path, delay * 1.5)

    return make


def kinds_after_kills(restoring: Restoring, other: RestClient, kills: int, seed: int) -> dict[str, int]:
    """What is there after so many kills and a last run that was left alone, by kind."""
    chance = random.Random(seed)
    most = int(1.2 * len(restoring.items) / kills)

    killed = sum(restoring.killed_after(chance.randint(0, most)) for _ in range(kills))

    assert restoring.finished() == []
    assert killed > kills / 2
    restoring.target.control("POST", "/limits", {"read_delay_seconds": 0})
    return by_kind(read(other))


def test_a_restore_killed_at_random_points_ends_whole_and_makes_nothing_twice(
    restoring: Callable[..., Restoring], other: RestClient
) -> None:
    restore = restoring()

    assert kinds_after_kills(restore, other, kills=4, seed=1) == by_kind(restore.items)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("delay", [0.0, 1.0])
def test_a_restore_killed_at_twenty_random_points_ends_whole_and_makes_nothing_twice(
    restoring: Callable[..., Restoring], other: RestClient, seed: int, delay: float
) -> None:
    restore = restoring(delay, seed=20 + seed, services=60, users=50)

    assert kinds_after_kills(restore, other, kills=20, seed=seed) == by_kind(restore.items)
