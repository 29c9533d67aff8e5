"""A restore, killed again and again while it makes things."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.account.kit import by_kind, calls, made_up, read

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.integration.sandbox.kit import SandboxProcess

WRITES = ("POST", "PUT")


class Restoring:
    """One backup on its way into one account, run by run."""

    def __init__(self, server: Server, target: SandboxProcess, items: list[Any], folder: Path, settle: float) -> None:
        self._target = target
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
        counts = self._target.control("GET", "/state")["log"]["counts"]
        return int(counts.get("written", 0))


def kill(
    source: SandboxProcess,
    target: SandboxProcess,
    server: Server,
    items: list[Any],
    folder: Path,
    kills: int,
    seed: int,
    delay: float = 0.0,
) -> None:
    """Kill a restore so often, let it end, and look for what is missing, double or half done."""
    target.control("POST", "/limits", {"read_delay_seconds": delay})
    chance, restoring = random.Random(seed), Restoring(server, target, items, folder, delay * 1.5)
    most = 2 * (len(items) + 100) // (kills + 1)

    killed = sum(restoring.killed_after(chance.randint(0, most)) for _ in range(kills))
    differences = restoring.finished()

    assert differences == []
    assert killed > kills / 2


@pytest.mark.parametrize("seed", [1])
def test_a_restore_killed_at_random_points_ends_whole_and_makes_nothing_twice(
    source: SandboxProcess, target: SandboxProcess, server: Server, rest: Any, other: Any, tmp_path: Path, seed: int
) -> None:
    made_up(source, webhook_subscriptions=1)
    items = read(rest)

    kill(source, target, server, items, tmp_path, kills=4, seed=seed)

    assert by_kind(read(other)) == by_kind(items)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("delay", [0.0, 1.0])
def test_a_restore_killed_at_twenty_random_points_ends_whole_and_makes_nothing_twice(
    source: SandboxProcess,
    target: SandboxProcess,
    server: Server,
    rest: Any,
    other: Any,
    tmp_path: Path,
    seed: int,
    delay: float,
) -> None:
    made_up(source, seed=20 + seed, services=60, users=50, webhook_subscriptions=1)
    items = read(rest)

    kill(source, target, server, items, tmp_path, kills=20, seed=seed, delay=delay)

    target.control("POST", "/limits", {"read_delay_seconds": 0})
    assert by_kind(read(other)) == by_kind(items)
