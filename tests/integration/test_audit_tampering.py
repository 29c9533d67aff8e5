"""Whoever lays hands on the evidence is found out, and the proof says where."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasks.audit.chain import START, extend, take_apart
from tests.integration.audit_kit import LedgerKit

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys


@pytest.fixture
def kit(client: Any, keys: Keys, tmp_path: Path) -> LedgerKit:
    """Four events, twelve entries, two anchors; Redis has forgotten the entries."""
    made = LedgerKit(client, keys, tmp_path / "ledger")
    made.deliver("a", "b")
    made.audit.seal()
    made.deliver("c", "d")
    made.audit.seal()
    client.xtrim(keys.ledger, maxlen=0)
    client.hset(keys.seal, "trimmed", client.hget(keys.seal, "id"))
    return made


def anchors(kit: LedgerKit) -> list[bytes]:
    return (kit.folder / "anchors.jsonl").read_bytes().splitlines(keepends=True)


def rewrite_anchors(kit: LedgerKit, lines: list[bytes]) -> None:
    (kit.folder / "anchors.jsonl").write_bytes(b"".join(lines))


def test_an_untouched_archive_holds(kit: LedgerKit) -> None:
    report = kit.audit.prove()

    assert report.holds, report.broken
    assert (report.sealed_entries, report.anchors, report.delivered) == (12, 2, 4)
    assert kit.audit.verify().holds


def test_a_changed_byte_names_its_line(kit: LedgerKit) -> None:
    lines = kit.lines()
    lines[4] = lines[4].replace(b'"p"', b'"q"')
    kit.rewrite(lines)

    assert kit.wrongs() == [f"line 5 of {kit.file().name} (entry 5) was changed after it was sealed"]
    assert not kit.audit.verify().holds


def test_a_changed_hash_names_its_line(kit: LedgerKit) -> None:
    lines = kit.lines()
    lines[4] = lines[4][:-6] + b"beef" + lines[4][-2:] if not lines[4].endswith(b'beef"}\n') else lines[4]
    kit.rewrite(lines)

    assert kit.wrongs()[0].startswith(f"line 5 of {kit.file().name}")


def test_every_single_changed_byte_is_noticed(kit: LedgerKit) -> None:
    whole = kit.file().read_bytes()

    for at in range(0, len(whole), 7):
        changed = bytes([whole[at] ^ 1])
        kit.file().write_bytes(whole[:at] + changed + whole[at + 1 :])

        assert not kit.audit.verify().holds, f"byte {at}: {whole[at : at + 1]!r} became {changed!r}"


def test_a_dropped_line_is_named_by_its_number(kit: LedgerKit) -> None:
    lines = kit.lines()
    kit.rewrite(lines[:3] + lines[4:])

    assert "entry 4 is missing from the archive: lines or files were removed" in kit.wrongs()


def test_lines_dropped_and_renumbered_do_not_fit_the_anchors(kit: LedgerKit) -> None:
    head, forged = START, []
    for line in kit.lines()[3:]:  # the whole story of "a" never happened
        head, new = extend(head, take_apart(line.rstrip()).entry)
        forged.append(new)
    kit.rewrite(forged)

    wrongs = kit.wrongs()

    assert any(wrong.startswith("entry 6 has another hash than the anchor of") for wrong in wrongs)
    assert any(wrong.startswith("the archive ends too early: entries 10 to 12 are cut off its end") for wrong in wrongs)


def test_swapped_lines_are_out_of_order(kit: LedgerKit) -> None:
    lines = kit.lines()
    lines[3], lines[4] = lines[4], lines[3]
    kit.rewrite(lines)

    assert f"line 5 of {kit.file().name} holds entry 4 out of its order: lines were moved or copied" in kit.wrongs()


def test_a_copied_line_is_out_of_order(kit: LedgerKit) -> None:
    lines = kit.lines()
    kit.rewrite([*lines, lines[3]])

    assert kit.wrongs() == [f"line 13 of {kit.file().name} holds entry 4 out of its order: lines were moved or copied"]


def test_a_cut_tail_is_named_and_what_it_held_is_missing(kit: LedgerKit) -> None:
    kit.rewrite(kit.lines()[:9])

    wrongs = kit.wrongs()

    assert any("the archive ends too early: entries 10 to 12 are cut off its end" in wrong for wrong in wrongs)


def test_a_tail_cut_together_with_its_anchor_is_missed_by_redis(kit: LedgerKit) -> None:
    kit.rewrite(kit.lines()[:6])
    rewrite_anchors(kit, anchors(kit)[:1])

    assert kit.wrongs() == ["entries 7 to 12 are missing from the archive: lines or files were removed"]


def test_half_a_line_cut_off_a_sealed_tail_is_noticed(kit: LedgerKit) -> None:
    whole = kit.file().read_bytes()
    kit.file().write_bytes(whole[:-20])

    assert any("entry 12 is cut off its end" in wrong for wrong in kit.wrongs())


def test_a_removed_file_is_missing_entries(kit: LedgerKit) -> None:
    kit.file().unlink()

    assert any("entries 1 to 12 are" in wrong for wrong in kit.wrongs())


def test_rubbish_between_lines_is_named(kit: LedgerKit) -> None:
    lines = kit.lines()
    kit.rewrite([*lines[:5], b"rubbish\n", *lines[5:]])

    (wrong,) = kit.wrongs()

    assert wrong.startswith(f"line 6 of {kit.file().name} is not a readable ledger entry")


def test_a_consistent_rewrite_of_the_archive_does_not_fit_its_anchors(kit: LedgerKit) -> None:
    head, forged = START, []
    for line in kit.lines():
        entry = take_apart(line.rstrip()).entry
        head, new = extend(head, entry._replace(reason="q") if entry.step == "sent" else entry)
        forged.append(new)
    kit.rewrite(forged)

    wrongs = kit.wrongs()

    assert [wrong.split(" of ")[0] for wrong in wrongs[:2]] == [
        "entry 6 has another hash than the anchor",
        "entry 12 has another hash than the anchor",
    ]
    assert wrongs[2].startswith("entry 12 has another hash than Redis says")


def test_a_forged_anchor_is_named(kit: LedgerKit) -> None:
    lines = anchors(kit)
    fields = json.loads(lines[0])
    fields["h"] = "0" * 64
    rewrite_anchors(kit, [json.dumps(fields).encode() + b"\n", lines[1]])

    assert kit.wrongs() == ["line 1 of anchors.jsonl has a signature that does not fit: it was changed or forged"]


def test_an_anchor_signed_with_somebody_elses_key_is_named(kit: LedgerKit) -> None:
    (wrong, *_) = [broken.wrong for broken in kit.with_keys(b"x" * 32).prove().broken]

    assert wrong.startswith("line 1 of anchors.jsonl is signed with a key that is not known here")


def test_a_removed_anchor_is_missed_by_the_next_one(kit: LedgerKit) -> None:
    rewrite_anchors(kit, anchors(kit)[1:])

    assert kit.wrongs() == [
        "line 1 of anchors.jsonl does not follow the anchor before it: an anchor was removed, added or moved"
    ]


def test_a_stripped_signature_is_named(kit: LedgerKit) -> None:
    first, second = anchors(kit)
    fields = {**json.loads(second), "mac": "", "k": ""}
    rewrite_anchors(kit, [first, json.dumps(fields).encode() + b"\n"])

    assert kit.wrongs()[0].startswith("line 2 of anchors.jsonl is not signed although an encryption key is set")


def test_rubbish_among_the_anchors_is_named(kit: LedgerKit) -> None:
    rewrite_anchors(kit, [b"[]\n", *anchors(kit)])

    assert kit.wrongs() == ["line 1 of anchors.jsonl is not readable: it was changed after it was written"]


def test_anchors_of_a_retired_key_still_verify(kit: LedgerKit) -> None:
    kit.deliver("e")
    kit.with_keys(b"new" * 11, b"k" * 32).seal()

    report = kit.with_keys(b"new" * 11, b"k" * 32).prove()

    assert report.holds, report.broken
    assert report.anchors == 3


def test_without_a_key_the_proof_says_what_it_is_worth(client: Any, keys: Keys, tmp_path: Path) -> None:
    kit = LedgerKit(client, keys, tmp_path / "ledger")
    kit.deliver("a")
    kit.with_keys().seal()

    report = kit.with_keys().prove()

    assert report.holds, report.broken
    assert "anchors are not signed" in report.notes[0]


def test_sealing_goes_on_behind_a_changed_tail_and_hides_nothing(kit: LedgerKit) -> None:
    lines = kit.lines()
    kit.rewrite([*lines[:-1], lines[-1].replace(b'"p"', b'"q"')])
    kit.deliver("e")

    kit.audit.seal()

    assert kit.wrongs() == [f"line 12 of {kit.file().name} (entry 12) was changed after it was sealed"]


def test_sealing_goes_on_behind_a_lost_archive_and_says_what_is_missing(kit: LedgerKit) -> None:
    kit.file().unlink()
    (kit.folder / "anchors.jsonl").unlink()
    kit.deliver("e")

    kit.audit.seal()

    assert kit.wrongs() == ["entries 1 to 12 are missing from the archive: lines or files were removed"]
    kit.rewrite([kit.lines()[0].replace(b'"shop"', b'"shoq"'), *kit.lines()[1:]])
    assert len(kit.wrongs()) == 2


def test_a_span_does_not_ask_for_files_moved_away_from_before_it(
    client: Any, keys: Keys, clock: MovableClock, tmp_path: Path
) -> None:
    kit = LedgerKit(client, keys, tmp_path / "ledger")
    for event_id in ("a", "b", "c"):
        kit.deliver(event_id)
        kit.audit.seal()
        clock.advance(timedelta(days=1))
    kit.deliver("d")
    kit.audit.seal()
    min(kit.folder.glob("2*.jsonl")).unlink()

    assert kit.wrongs() == ["entries 1 to 3 are missing from the archive: lines or files were removed"]
    report = kit.audit.prove(timedelta(hours=30))
    assert report.holds, report.broken
    assert report.delivered == 2


def test_the_documented_check_of_the_chain_works(kit: LedgerKit) -> None:
    page = (Path(__file__).parents[2] / "docs" / "prove.md").read_text()
    program = page.split("```python\n")[1].split("```")[0]

    def check() -> int:
        command = [sys.executable, "-c", program]
        return subprocess.run(command, input=kit.file().read_bytes(), capture_output=True, check=False).returncode

    assert check() == 0
    kit.rewrite([line.replace(b'"p"', b'"q"') for line in kit.lines()])
    assert check() == 1
