"""`tocsin schedules` on a real server: what is shown, paused, resumed and called for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.slot_marks import SlotMarks
from tasks.utils.slots import Call, Slots
from tests.program import tocsin
from workers.cli.output import ExitCode

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

Shell = Any


@pytest.fixture
def shell(client: Any, server: Server, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    environment = {"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)}
    return lambda *words: tocsin("schedules", *words, env=environment)


@pytest.fixture
def slots(client: Any, keys: Keys, tmp_path: Path) -> Slots:
    client.set(keys.epoch, 1)
    return Slots(client, keys, SlotMarks(client, keys, tmp_path / "schedules.json"))


def test_the_list_says_how_the_last_run_went_and_how_late_it_was(
    shell: Shell, slots: Slots, clock: MovableClock
) -> None:
    due = clock.now().replace(second=0, microsecond=0)
    with pytest.raises(ValueError, match="no disk"), slots.run(Call("ledger-seal", due), "m1"):
        raise ValueError("no disk")

    rows = {row["entry"]: row for row in json.loads(shell("list", "--json").stdout)}
    shown = shell("show", "ledger-seal").stdout

    assert rows["ledger-seal"]["last"]["result"] == "failed"
    assert 0 <= rows["ledger-seal"]["last"]["late_seconds"] <= 60
    assert rows["outbox-sweep"]["last"] is None
    assert rows["outbox-sweep"]["next_due"] > due.isoformat()[:16]
    assert "why          no disk" in shown


def test_what_is_paused_says_why_and_until_when_and_is_resumed(shell: Shell) -> None:
    paused = shell("pause", "ledger-proof", "ledger-seal", "--because", "new disk", "--for", "2h")
    listed = shell("list")
    resumed = shell("resume", "ledger-proof")

    assert "ledger-proof: rests until 2" in paused.stdout
    assert "ledger-seal rests: new disk (" in listed.stderr
    assert "ledger-proof: runs; due next at " in resumed.stdout
    assert "ledger-proof rests" not in resumed.stderr


def test_one_that_is_called_for_waits_in_the_queue_of_its_task_with_the_arguments_of_the_schedule(
    shell: Shell, client: Any, keys: Keys
) -> None:
    sent = shell("run", "ledger-proof")

    message = json.loads(client.lindex(keys.queue("maintenance"), 0))
    assert message["headers"]["id"] == sent.stdout.strip()
    assert message["headers"]["tocsin_slot"] == "ledger-proof@now"
    assert message["headers"]["task"] == "audit.prove"
    assert "since_seconds" in message["headers"]["kwargsrepr"]


def test_a_name_there_is_none_of_is_a_usage_error_that_lists_all(shell: Shell, client: Any, keys: Keys) -> None:
    refused = shell("pause", "ledger-seal", "ledger-prof", "--because", "a slip")

    assert refused.returncode == ExitCode.USAGE
    assert "Did you mean ledger-proof" in refused.stderr
    assert "outbox-sweep, incidents-sync" in refused.stderr
    assert not client.exists(keys.schedule("ledger-seal"))  # all or none
