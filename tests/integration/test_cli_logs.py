"""`tocsin logs` on a real server: a clean-up looked at first, then done, and brought back."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.program import tocsin
from tests.unit.config_kit import ENCRYPTION_KEY
from workers.cli.output import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.embedded import Server

Shell = Any


@pytest.fixture
def shell(client: Any, server: Server, tmp_path: Path) -> Shell:
    del client  # the server is empty
    environment = {"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path), "ENCRYPTION_KEY": ENCRYPTION_KEY}
    return lambda *words, **more: tocsin("logs", *words, env={**environment, **more})


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A log that was set aside twenty days ago."""
    path = tmp_path / "logs" / "beat.log.1"
    path.parent.mkdir()
    path.write_text("old words\n" * 1000)
    at = time.time() - 20 * 86400
    os.utime(path, (at, at))
    return path


def test_a_dry_run_shows_what_would_go_and_the_run_does_it_and_it_comes_back(shell: Shell, old: Path) -> None:
    looked = shell("clean-up", "--dry-run")
    assert "worker_logs   14 d      1      10.0 kB" in looked.stdout
    assert "nothing was changed" in looked.stderr
    assert old.exists()

    done = json.loads(shell("clean-up", "--json").stdout)
    [archive] = json.loads(shell("list", "--json").stdout)
    restored = shell("restore", archive["id"])

    assert {one["kind"]: one["items"] for one in done["classes"]}["worker_logs"] == 1
    assert not old.exists()
    assert archive["stored_bytes"] < archive["bytes"] == 10_000
    assert (old.parents[1] / "restored" / "worker_logs" / "beat.log.1").read_text() == "old words\n" * 1000
    assert "it stays until" in restored.stderr
    assert shell("verify").stdout == "1 archives, 10,000 bytes in them: as they were written\n"


def test_a_hold_is_made_seen_obeyed_and_released(shell: Shell, old: Path) -> None:
    hold = shell("hold", "add", "--class", "worker-logs", "--because", "case 4711").stdout.strip()

    kept = shell("cleanup")

    assert f"worker_logs beat.log.1 stays: legal hold {hold} by " in kept.stderr
    assert old.exists()
    assert shell("hold", "release", hold).returncode == ExitCode.OK
    assert "case 4711" in shell("hold", "list", "--all").stdout


def test_in_production_it_asks_for_authority(shell: Shell, old: Path) -> None:
    guarded = {"TOCSIN_ACCESS__ENFORCE": "true"}

    assert shell("clean-up", **guarded).returncode == ExitCode.NEEDS_CONFIRMATION
    assert old.exists()
