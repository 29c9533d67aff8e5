"""Killed at any moment, a backup is there whole or not at all, and nothing readable is left behind."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tasks.backups.items import canonical
from tasks.backups.pruning import WASTE
from tests.conftest import ROOT
from tests.integration.backups.repository_kit import CANARY, KEY, Kit
from tests.integration.backups.victim import world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KILLS = 20  # random moments; the long form has two hundred


class Victim:
    """Does what it is told in a child of its own, which can be killed."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.scratch = scratch
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.backups.victim", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(scratch)},
        )

    def do(self, deed: str, *, kill_after: float | None = None) -> bool:
        """Whether it came to its end; it is killed after so many seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{deed}\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        if kill_after is not None:
            threading.Event().wait(kill_after)  # the moment is the point: nothing tells it
            os.kill(pid, signal.SIGKILL)
        self._process.stdin.write("wait\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline()) == 0

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    (tmp_path / "tmp").mkdir()
    victim = Victim(tmp_path / "backups", tmp_path / "tmp")
    yield victim
    victim.end()


def took(victim: Victim, deed: str) -> float:
    began = time.monotonic()
    assert victim.do(deed)
    return time.monotonic() - began


def is_as_it_should_be(kit: Kit, known: dict[str, int]) -> None:
    """Every backup is whole; the one that is new, if one is, too."""
    report = kit.verify()
    assert report.holds, report.faults
    assert report.good == [one.id for one in kit.repository.snapshots()]
    assert not any(CANARY.encode() in path.read_bytes() for path in kit.folder.rglob("*") if path.is_file())
    for snapshot in kit.repository.snapshots():
        if snapshot.id in known:
            wanted = {
                f"account/{kind}/{name}": canonical(one)
                for (kind, name), one in world(known[snapshot.id]).documents.items()
            }
            assert kit.holds(snapshot) == wanted


def creations(victim: Victim, kit: Kit, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    took(victim, "create 1")
    usual = took(victim, "create 2")
    known = {kit.repository.find("latest").id: 2}
    killed = 0
    for number in range(3, 3 + 5 * kills):
        if killed == kills:
            break
        before = {one.id for one in kit.repository.snapshots()}
        killed += not victim.do(f"create {number}", kill_after=chance.uniform(0, usual))
        for fresh in {one.id for one in kit.repository.snapshots()} - before:
            known[fresh] = number
        is_as_it_should_be(kit, {fresh: known[fresh] for fresh in list(known)[-2:]})
    assert killed == kills
    assert victim.do("create 1000")
    assert list((kit.folder / "tmp").iterdir()) == []
    is_as_it_should_be(kit, {**known, kit.repository.find("latest").id: 1000})
    assert list(victim.scratch.iterdir()) == []


def prunings(victim: Victim, kit: Kit, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    known = {}
    for number in (1, 2, 3):
        assert victim.do(f"create {number}")
        known[kit.repository.find("latest").id] = number
    made = kit.folder.with_name("made")
    shutil.copytree(kit.folder, made)
    usual = took(victim, "prune 1")
    killed = 0
    for _ in range(5 * kills):
        if killed == kills:
            break
        shutil.rmtree(kit.folder)
        shutil.copytree(made, kit.folder)
        killed += not victim.do("prune 1", kill_after=chance.uniform(0, usual))
        is_as_it_should_be(kit, known)
        assert kit.repository.find("latest").id == list(known)[-1]
        kit.prune()
        assert_is_tidy(kit)
    assert killed == kills


def assert_is_tidy(kit: Kit) -> None:
    """Little is left that nobody needs: what is below the waste that a pack may hold."""
    objects = kit.repository.objects()
    assert len(kit.repository.snapshots()) == 1
    assert list((kit.folder / "tmp").iterdir()) == []
    assert sum(map(len, objects.packs.values())) < len(objects.places) / (1 - WASTE)
    assert kit.verify().holds


def test_a_backup_that_is_killed_leaves_the_others_whole_and_nothing_readable(victim: Victim, tmp_path: Path) -> None:
    creations(victim, Kit(tmp_path / "backups", KEY), KILLS, seed=1)


def test_pruning_that_is_killed_takes_nothing_that_is_needed(victim: Victim, tmp_path: Path) -> None:
    prunings(victim, Kit(tmp_path / "backups", KEY), KILLS, seed=2)


@pytest.mark.slow
def test_two_hundred_kills_of_each(victim: Victim, tmp_path: Path) -> None:
    creations(victim, Kit(tmp_path / "backups", KEY), 10 * KILLS, seed=3)
    prunings(victim, Kit(tmp_path / "backups", KEY), 10 * KILLS, seed=4)
