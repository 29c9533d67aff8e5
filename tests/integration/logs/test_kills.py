"""Killed at any moment, a clean-up has deleted nothing that is not in an archive that was verified."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT
from tests.integration.logs.log_kit import DAY, LogKit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.logs.vault import Stored

LOGS = 6
RESULTS = 5
LEDGERS = 5


class Victim:
    """Cleans up when it is told to, and dies when it is told to."""

    def __init__(self, kit: LogKit) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "PAGERDUTY_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.logs.victim"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**clean, **kit.environ, "LOG_LEVEL": "ERROR"},
        )

    def clean_up(self, dies_at: int = 0) -> str:
        """How it ended: the number of calls it made, or `killed`."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{dies_at}\n")
        self._process.stdin.flush()
        while line := self._process.stdout.readline().strip():
            if line == "killed" or line.isdigit():
                return line
        raise AssertionError(self._process.stderr and self._process.stderr.read())

    def close(self) -> None:
        self._process.communicate(timeout=30)


@pytest.fixture
def victim(kit: LogKit) -> Iterator[Victim]:
    made = Victim(kit)
    yield made
    made.close()


class Originals:
    """What there was before, by digest; each must be where it was, or in an archive that was verified."""

    def __init__(self, kit: LogKit, round_: int) -> None:
        self._kit = kit
        for number in range(LOGS):
            kit.write(f"logs/p{number}.log.1", f"{round_}: line of {number}\n" * 400, days_old=20 + number)
        for number in range(RESULTS):
            kit.put_result(f"r{round_}-{number}", kit.clock.now() - 5 * DAY)
        self.files = {("worker_logs", path.name): _digest(path) for path in (kit.state / "logs").glob("*.log.1")}
        self.files |= {("ledgers", name): digest for name, digest in kit.digests().items()}
        self.results = [f"r{round_}-{number}" for number in range(RESULTS)]

    def are_left(self) -> bool:
        """Whether a run would find anything."""
        kit = self._kit
        logs = kit.state / "logs"
        return bool([*logs.glob("*.log.1"), *logs.glob(".clean-up/*")]) or len(kit.ledger_files()) > 1

    def check(self) -> None:
        """Nothing is lost."""
        kit, archives = self._kit, self._kit.runtime.logs.archives
        stored = {(link.kind, link.name, link.stored.sha256): link.stored for link in archives._chain.links()}
        for (kind, name), digest in self.files.items():
            folder = kit.state / {"worker_logs": "logs", "ledgers": "ledger"}[kind]
            if any(path.exists() and _digest(path) == digest for path in (folder / name, folder / ".clean-up" / name)):
                continue
            archives._vault.verify(stored[kind, name, digest])
        kept = [self._rows(one) for (kind, *_), one in stored.items() if kind == "results"]
        for name in self.results:
            is_there = kit.runtime.client.exists(kit.runtime.keys.result(name))
            assert is_there or any(name in rows for rows in kept), name

    def _rows(self, stored: Stored) -> set[str]:
        text = Text()
        self._kit.runtime.logs.archives._vault.take(stored, text)
        return {json.loads(line)["id"] for line in text.data.splitlines()}


class Text:
    """What an archive holds, in memory."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes, /) -> Any:
        self.data += data


def _digest(path: Any) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kills", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_nothing_is_deleted_that_was_not_archived_and_verified(kit: LogKit, victim: Victim, kills: int) -> None:
    chance = random.Random(int(os.environ.get("SEED", "1")))
    kit.days(LEDGERS)
    kit.age(100)
    originals = Originals(kit, 0)
    calls, round_, died = int(victim.clean_up()), 0, 0
    while died < kills:
        if not originals.are_left():
            round_ += 1
            kit.days(LEDGERS)
            kit.age(100)
            originals = Originals(kit, round_)
        kit.clock.advance(timedelta(seconds=61))  # the dead one's lease ends
        died += victim.clean_up(chance.randrange(1, calls)) == "killed"
        originals.check()

    kit.clock.advance(timedelta(seconds=61))
    victim.clean_up()

    originals.check()
    assert kit.runtime.logs.archives.verify().holds
    assert len(kit.ledger_files()) == 1
    proof = kit.runtime.audit.prove()
    assert proof.holds, proof.broken
