"""Sealing: once, whole, in order, whatever crashes when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.audit_kit import LedgerKit

if TYPE_CHECKING:
    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

ROOT = Path(__file__).parents[2]
# Seals, and dies by SIGKILL at one of three moments: half a line written; lines written; anchor written, too.
DYING = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from tasks.audit import archive as module
from tasks.audit.anchors import Anchors
from tasks.audit.archive import Archive
from tasks.audit.seal import Sealer
from tasks.utils.connect import connect
from tasks.utils.keys import Keys

url, folder, moment = sys.argv[1], Path(sys.argv[2]), sys.argv[3]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class DyingArchive(Archive):
    def append(self, head, entries):
        end = super().append(head, entries)
        if moment == "half a line":
            path = self.files()[-1]
            path.open("r+b").truncate(path.stat().st_size - 50)
        if moment in ("half a line", "lines"):
            die()
        return end

class DyingAnchors(Anchors):
    def add(self, head, at):
        super().add(head, at)
        die()

client, keys = connect(url), Keys()
sealer = Sealer(client, keys, DyingArchive(folder), DyingAnchors(folder, (b"k" * 32,)),
                timedelta(seconds=60))
sealer.seal(5000)
"""


@pytest.fixture
def kit(client: Any, keys: Keys, tmp_path: Path) -> LedgerKit:
    return LedgerKit(client, keys, tmp_path / "ledger")


def test_sealing_twice_writes_once(kit: LedgerKit) -> None:
    kit.deliver("a", "b")

    assert kit.audit.seal().sealed == 6
    again = kit.audit.seal()

    assert (again.sealed, again.total, again.busy) == (0, 6, False)
    assert kit.numbers() == [1, 2, 3, 4, 5, 6]


def test_batches_are_anchored_one_by_one(kit: LedgerKit) -> None:
    kit.batch = 4
    kit.deliver("a", "b", "c")

    kit.audit.seal()

    assert kit.audit.prove().anchors == 3


def test_each_day_has_its_file_and_the_chain_goes_through(kit: LedgerKit, clock: MovableClock) -> None:
    kit.deliver("a")
    clock.advance(timedelta(days=1))
    kit.deliver("b")

    kit.audit.seal()

    assert len(list(kit.folder.glob("2*.jsonl"))) == 2
    assert kit.audit.prove().holds


def test_a_clock_set_back_does_not_put_entries_before_older_ones(kit: LedgerKit, clock: MovableClock) -> None:
    clock.advance(timedelta(days=2))
    kit.deliver("a")
    kit.audit.seal()
    clock.advance(timedelta(days=-2))
    kit.deliver("b")

    kit.audit.seal()

    assert kit.numbers() == [1, 2, 3, 4, 5, 6]
    assert kit.audit.prove().holds


def test_archive_files_are_private(kit: LedgerKit) -> None:
    kit.deliver("a")
    kit.audit.seal()

    assert kit.file().stat().st_mode & 0o777 == 0o600
    assert kit.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("moment", ["half a line", "lines", "anchor"])
def test_a_crash_between_file_and_redis_doubles_and_loses_nothing(
    kit: LedgerKit, server: Server, clock: MovableClock, moment: str
) -> None:
    kit.deliver("a")
    kit.audit.seal()
    kit.deliver("b", "c")

    command = [sys.executable, "-c", DYING, server.url, str(kit.folder), moment]
    died = subprocess.run(command, cwd=ROOT, env={**os.environ}, check=False)

    assert died.returncode == -signal.SIGKILL
    assert kit.audit.prove().holds  # also before anybody has tidied up
    assert kit.audit.seal().busy
    clock.advance(timedelta(seconds=61))
    kit.audit.seal()
    report = kit.audit.prove()
    assert report.holds, report.broken
    assert kit.numbers() == list(range(1, 10))
    assert (report.delivered, report.live_entries, kit.client.hget(kit.keys.seal, "n")) == (3, 0, "9")


def test_a_crash_before_the_very_first_note_in_redis_doubles_nothing(
    kit: LedgerKit, server: Server, clock: MovableClock
) -> None:
    kit.deliver("a")
    subprocess.run([sys.executable, "-c", DYING, server.url, str(kit.folder), "lines"], cwd=ROOT, check=False)
    clock.advance(timedelta(seconds=61))
    kit.deliver("b")

    kit.audit.seal()

    assert kit.numbers() == [1, 2, 3, 4, 5, 6]
    assert kit.audit.prove().holds


def test_many_sealers_at_once_seal_each_entry_once(kit: LedgerKit) -> None:
    kit.batch = 7
    kit.deliver(*(f"e{i}" for i in range(60)))

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: kit.audit.seal(), range(8)))

    kit.audit.seal()
    assert sum(report.sealed for report in reports) <= 180
    assert kit.numbers() == list(range(1, 181))
    assert kit.audit.prove().holds


def test_a_sealer_whose_lease_was_taken_over_notes_nothing(kit: LedgerKit) -> None:
    kit.client.hset(kit.keys.seal, mapping={"holder": "somebody else", "until": kit.now() + 60_000})
    kit.deliver("a")

    report = kit.audit.seal()

    assert report.busy
    assert not kit.folder.joinpath("anchors.jsonl").exists()


def test_a_second_machine_writes_the_same_archive(kit: LedgerKit, tmp_path: Path) -> None:
    other = LedgerKit(kit.client, kit.keys, tmp_path / "other")
    kit.deliver("a")
    kit.audit.seal()
    kit.deliver("b")
    assert other.audit.prove().holds  # from the stream alone, against the hash Redis knows
    other.audit.seal()
    kit.audit.seal()

    assert kit.file().read_bytes() == other.file().read_bytes()
    assert kit.audit.prove().holds
    assert other.audit.prove().holds


def test_a_machine_that_never_sealed_says_what_it_cannot_show(kit: LedgerKit, tmp_path: Path) -> None:
    kit.deliver("a")
    kit.audit.seal()
    kit.client.hset(kit.keys.seal, "trimmed", kit.client.hget(kit.keys.seal, "id"))
    kit.client.xtrim(kit.keys.ledger, maxlen=1)
    kit.deliver("b")
    other = LedgerKit(kit.client, kit.keys, tmp_path / "other")

    report = other.audit.prove()

    assert report.delivered == 2  # "a" from the entry the stream still has, "b" whole
    assert [broken.wrong for broken in report.broken] == [
        "entries 1 to 3 are missing from the archive: lines or files were removed"
    ]


def test_entries_taken_out_of_the_stream_by_hand_are_missed(kit: LedgerKit) -> None:
    kit.deliver("a")
    kit.audit.seal()
    kit.client.xtrim(kit.keys.ledger, maxlen=0)
    for path in kit.folder.glob("*.jsonl"):
        path.unlink()

    assert kit.wrongs() == ["entries 1 to 3 are neither in the archive nor in Redis, though sealed"]


def test_a_ledger_without_alerts_is_sealed_without_a_trace(kit: LedgerKit) -> None:
    assert kit.audit.seal().total == 0
    assert kit.audit.verify().holds


def test_another_ledgers_hash_in_redis_is_no_witness_against_this_one(kit: LedgerKit) -> None:
    kit.deliver("a", "b")
    kit.audit.seal()
    kit.client.hset(kit.keys.seal, mapping={"n": 3, "hash": "f" * 64})

    assert kit.audit.prove().holds


def test_a_story_is_found_among_damaged_and_empty_files(kit: LedgerKit) -> None:
    kit.deliver("a")
    kit.audit.seal()
    lines = kit.lines()
    torn = b'{"n":4,"id":"9-9","t":1,"e":"a","s":'
    kit.rewrite([lines[0], b'{"n":2,"e":"a",}\n', *lines[1:], torn])
    (kit.folder / "2001-01-01.jsonl").touch()

    assert [step.step for step in kit.audit.story("a")] == ["accepted", "attempt", "sent"]
    assert kit.audit.story("nobody") == []
