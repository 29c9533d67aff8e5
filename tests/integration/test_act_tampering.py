"""Whoever lays hands on the record of acts is found out, and the check says in which file and line."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasks.audit.act_models import TamperedError
from tasks.audit.anchors import Anchors
from tasks.audit.archive import Archive
from tasks.audit.chain import START, extend, take_apart
from tasks.audit.models import VerifyReport
from tasks.audit.outgoing import Outgoing
from tasks.utils.audit_logger import Act, AuditLogger
from tasks.utils.connect import connect
from tasks.utils.ledger import Entry
from tests.integration.act_kit import ANNA, KEY, ActKit

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys


@pytest.fixture
def kit(client: Any, keys: Keys, tmp_path: Path) -> ActKit:
    """Eight sealed acts under two anchors; Redis has forgotten the entries."""
    made = ActKit(client, keys, tmp_path)
    made.do("a.one", "a.two", "a.three", "a.four")
    made.archive.seal()
    made.do("b.one", "b.two", "b.three", "b.four")
    made.archive.seal()
    client.xtrim(keys.acts, maxlen=0)
    client.hset(keys.acts_seal, "trimmed", client.hget(keys.acts_seal, "id"))
    return made


def places(kit: ActKit) -> list[tuple[str, int | None]]:
    return [(broken.file, broken.line) for broken in kit.broken()]


def test_an_untouched_record_holds(kit: ActKit) -> None:
    report = kit.archive.acts.verify()

    assert report.holds, report.broken
    assert (report.entries, report.anchors) == (8, 2)


def test_one_changed_byte_is_found_and_located(kit: ActKit) -> None:
    lines = kit.lines()
    lines[4] = lines[4].replace(b"anna", b"anne")
    kit.rewrite(lines)

    assert places(kit) == [(kit.file().name, 5)]
    assert "was changed after it was sealed" in kit.broken()[0].wrong


def test_every_changed_byte_is_noticed(kit: ActKit) -> None:
    whole = kit.file().read_bytes()

    for at in range(0, len(whole), 11):
        kit.file().write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])

        assert not kit.archive.acts.verify().holds, f"byte {at}"


def test_one_missing_entry_is_found_and_located(kit: ActKit) -> None:
    lines = kit.lines()
    kit.rewrite(lines[:3] + lines[4:])

    assert places(kit) == [(kit.file().name, 4)]
    assert kit.broken()[0].wrong.startswith("entry 4 is missing")


def test_swapped_entries_are_found_and_located(kit: ActKit) -> None:
    lines = kit.lines()
    lines[5], lines[6] = lines[6], lines[5]
    kit.rewrite(lines)

    assert (kit.file().name, 7) in places(kit)
    assert any("holds entry 6 out of its order" in broken.wrong for broken in kit.broken())


def test_a_cut_tail_is_found_and_located(kit: ActKit) -> None:
    kit.rewrite(kit.lines()[:6])

    assert (kit.file().name, 6) in places(kit)
    assert any("ends too early: entries 7 to 8 are cut off its end" in broken.wrong for broken in kit.broken())


def test_a_tail_cut_together_with_its_anchor_is_missed_by_redis(kit: ActKit) -> None:
    kit.rewrite(kit.lines()[:4])
    anchors = kit.folder / "anchors.jsonl"
    anchors.write_bytes(anchors.read_bytes().splitlines(keepends=True)[0])

    assert [broken.wrong.split(":")[0] for broken in kit.broken()] == ["entries 5 to 8 are missing from the archive"]


def test_a_consistent_rewrite_does_not_fit_the_signed_anchors(kit: ActKit) -> None:
    head, forged = START, []
    for line in kit.lines():
        entry = take_apart(line.rstrip()).entry
        head, new = extend(head, entry._replace(detail=entry.detail.replace("anna", "eve")))
        forged.append(new)
    kit.rewrite(forged)

    assert any("another hash than the anchor of" in broken.wrong for broken in kit.broken())


def test_anchors_of_a_former_encryption_key_still_verify(kit: ActKit) -> None:
    kit.do("c.one")
    renewed = kit.with_keys(b"n" * 32, KEY)

    renewed.seal()

    report = renewed.acts.verify()
    assert report.holds, report.broken
    assert report.anchors == 3
    assert not kit.with_keys(b"n" * 32).acts.verify().holds


def test_a_span_is_verified_although_older_files_were_moved_away(kit: ActKit, clock: MovableClock) -> None:
    for name in ("c.one", "d.one", "e.one"):
        clock.advance(timedelta(days=1))
        kit.do(name)
        kit.archive.seal()
    min(kit.folder.glob("2*.jsonl")).unlink()

    assert not kit.archive.acts.verify().holds
    report = kit.archive.acts.verify(timedelta(hours=30))
    assert report.holds, report.broken
    assert kit.actions() == ["c.one", "d.one", "e.one"]


def test_what_is_sealed_and_old_leaves_redis_and_is_read_all_the_same(kit: ActKit, clock: MovableClock) -> None:
    kit.do("c.one")
    kit.archive.seal()
    clock.advance(timedelta(hours=49))
    kit.do("d.one")

    assert kit.archive.seal().trimmed == 1
    assert kit.client.xlen(kit.keys.acts) == 1
    assert kit.actions()[-2:] == ["c.one", "d.one"]


def test_the_documented_check_of_the_chain_works_on_acts(kit: ActKit) -> None:
    page = (Path(__file__).parents[2] / "docs" / "prove.md").read_text()
    program = page.split("```python\n")[1].split("```")[0]

    command = [sys.executable, "-c", program]
    assert subprocess.run(command, input=kit.file().read_bytes(), check=False).returncode == 0


@pytest.mark.alone
def test_a_hundred_thousand_acts_are_verified_within_five_seconds(client: Any, keys: Keys, tmp_path: Path) -> None:
    kit = ActKit(client, keys, tmp_path)
    rest = '{"c":"0123456789abcdef","f":"bastion pts/1","k":"person","n":"anna","o":"silence/4f0c1d2e3b4a"}'
    head = START
    for first in range(1, 100_001, 5000):
        entries = [Entry(f"{n}-0", n, f"{n:028x}", "ok", "silences.create", rest) for n in range(first, first + 5000)]
        head = Archive(kit.folder).append(head, entries)
        Anchors(kit.folder, [KEY]).add(head, first)
    started = time.process_time()  # of the processor's, which other load hardly touches

    report = kit.archive.acts.verify()

    took = time.process_time() - started
    assert (report.holds, report.entries, report.anchors) == (True, 100_000, 20)
    assert took <= 5


def test_a_record_whose_oldest_files_were_archived_by_the_clean_up_holds(kit: ActKit, clock: MovableClock) -> None:
    clock.advance(timedelta(days=1))
    kit.do("c.one")
    kit.archive.seal()
    oldest = min(kit.folder.glob("2*.jsonl"))
    outgoing = Outgoing(Archive(kit.folder), Anchors(kit.folder, [KEY]), clock)

    assert outgoing.move_out(oldest, "archive-1")

    report = kit.archive.acts.verify()
    assert report.holds, report.broken
    assert "archive-1" in report.notes[0]
    assert kit.actions() == ["c.one"]
    kit.rewrite([line.replace(b"anna", b"anne") for line in kit.lines()])
    assert places(kit) == [(kit.file().name, 1)]


def test_what_waits_on_the_machine_that_seals_is_taken_up_and_sealed(kit: ActKit) -> None:
    away = AuditLogger(connect("redis://127.0.0.1:1/0"), kit.keys, kit.folder)
    away.record(Act("while.away", "thing/1", ANNA))

    assert kit.archive.seal().acts.sealed == 1
    assert kit.actions()[-1] == "while.away"


def test_the_nightly_check_fails_loudly_where_a_record_was_touched(kit: ActKit) -> None:
    sound = kit.archive.verify(kit.archive.acts.verify(), strict=True)
    assert sound.holds
    lines = kit.lines()
    kit.rewrite([lines[0], *lines[2:]])

    with pytest.raises(TamperedError, match="acts: entry 2 is missing"):
        kit.archive.verify(VerifyReport(holds=True), strict=True)
