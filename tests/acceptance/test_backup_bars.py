"""The program itself: within its bounds on a large account, and killed at any moment."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tasks.utils.clock import MovableClock
from tasks.utils.connect import connect
from tasks.utils.keys import Keys
from tasks.utils.single_flight import LEASE
from tests.bench.backup import COUNTS, installation, stored, tocsin
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

CANARY = b"canary-0815-of-the-state"
KILLS = 20


def test_an_account_of_ten_thousand_objects_keeps_within_its_bounds(tmp_path: Path) -> None:
    assert sum(json.loads(COUNTS.read_text()).values()) == 10_000
    with installation(tmp_path, COUNTS) as environment:
        first = tocsin(environment, "create")
        size = stored(environment)
        tocsin(environment, "create")

        assert first.answer["backup"]["parts"]["account"]["items"] > 10_000
        assert first.seconds <= 60
        assert first.megabytes <= 200
        assert stored(environment) - size < 0.02 * size
        assert tocsin(environment, "verify", "--read-data").answer["holds"]


def killed(environment: dict[str, str], after: float, *words: str) -> bool:
    """Run `tocsin backups <words>` and kill it; whether it was still there to be killed."""
    command = [sys.executable, "-m", "workers.cli", "backups", *words]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        threading.Event().wait(after)  # the moment is the point: nothing tells it
        process.send_signal(signal.SIGKILL)
        return process.wait() != 0


def test_create_and_prune_of_the_program_are_killed_at_twenty_moments(tmp_path: Path) -> None:
    (tmp_path / "counts.json").write_text('{"services": 60}')
    (tmp_path / "tmp").mkdir()
    chance = random.Random(7)
    with (
        installation(tmp_path, tmp_path / "counts.json") as environment,
        connect(environment["REDIS_URL"]) as client,
    ):
        clock = MovableClock(client, Keys())
        environment |= {"TMPDIR": str(tmp_path / "tmp")}
        ledger = tmp_path / "state" / "ledger" / "2026-01-01.jsonl"
        ledger.parent.mkdir(parents=True)
        usual = tocsin(environment, "create").seconds
        kills = 0
        while kills < KILLS:
            ledger.write_bytes(b"%b %d\n" % (CANARY, kills) * 20_000)
            words = chance.choice((("create",), ("prune", "--keep-last", "1", "--yes")))
            kills += killed(environment, chance.uniform(0.2, 1) * usual, *words)
            clock.advance(LEASE)  # of the dead process's turn

            assert tocsin(environment, "verify", "--read-data").answer["holds"]
            folders = (tmp_path / "state" / "backups", tmp_path / "tmp")
            left = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
            assert not any(CANARY in path.read_bytes() for path in left)

        tocsin(environment, "create")
        tocsin(environment, "prune", "--keep-last", "1", "--yes")
        assert list((tmp_path / "state" / "backups" / "tmp").iterdir()) == []
        shutil.rmtree(tmp_path / "state" / "ledger")
        done = tocsin(environment, "restore", "--target", "state", "--yes")
        assert done.answer["differences"] == []
        assert ledger.read_bytes() == b"%b %d\n" % (CANARY, kills - 1) * 20_000
