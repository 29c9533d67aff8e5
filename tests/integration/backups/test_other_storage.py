"""Nothing but the storage knows of folders: whatever keeps whole blobs by name keeps backups."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx

from tasks.backups.repository import Repository
from tasks.utils.encryption import SecurityManager
from tests.conftest import ROOT
from tests.integration.backups.memory_storage import MemoryStorage
from tests.integration.backups.repository_kit import KEY, Kit, many

if TYPE_CHECKING:
    from pathlib import Path


def test_every_verb_works_on_a_storage_without_a_folder(tmp_path: Path) -> None:
    kit = Kit(tmp_path / "unused")
    kit.repository = Repository(MemoryStorage(), SecurityManager([KEY]))

    kit.create(many(30))
    newest = kit.create(many(5))
    assert kit.verify().holds
    kit.prune()

    assert [one.id for one in kit.repository.snapshots()] == [newest.id]
    assert len(kit.holds(newest)) == 5
    assert not (tmp_path / "unused").exists()


def test_the_sandbox_of_a_rehearsal_ends_with_whoever_rehearses_even_if_that_is_killed() -> None:
    program = (
        "from tasks.backups.sandbox_process import sandbox\n"
        "with sandbox() as url:\n    print(url, flush=True)\n    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/_sandbox").status_code == 200
        os.kill(process.pid, signal.SIGKILL)

    end = time.monotonic() + 10
    while is_there(url):
        assert time.monotonic() < end


def is_there(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_sandbox", timeout=1).status_code == 200
    except httpx.TransportError:
        return False
