"""Whatever is not as it was written is named."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.integration.backups.repository_kit import Kit, flip, many

if TYPE_CHECKING:
    from pathlib import Path

FLIPS = 10


def damage(kit: Kit, path: Path, bit: int) -> str:
    """What verification says of one flipped bit, which is put right again."""
    flip(path, bit)
    report = kit.verify()
    flip(path, bit)
    assert not report.holds, (path.name, bit)
    return "\n".join(fault.what for fault in report.faults)


def flips(kit: Kit, count: int, seed: int) -> None:
    """Bits all over every kind of file: each is found, and the file or an object in it is named."""
    chance = random.Random(seed)
    for path in kit.files():
        size = path.stat().st_size * 8
        for bit in {0, size - 1, *(chance.randrange(size) for _ in range(count))}:
            said = damage(kit, path, bit)
            assert path.name in said, (path.name, bit, said)
    assert kit.verify().holds


def test_a_flipped_bit_anywhere_is_named(kit: Kit) -> None:
    kit.create(many(60))
    kit.create(many(60, changed=frozenset({1})))

    flips(kit, FLIPS, seed=1)


def test_a_flipped_bit_anywhere_is_named_without_encryption(plain_kit: Kit) -> None:
    plain_kit.create(many(60))

    flips(plain_kit, FLIPS, seed=2)


@pytest.mark.slow
def test_two_thousand_flipped_bits_are_named(kit: Kit) -> None:
    for changed in range(4):
        kit.create(many(300, changed=frozenset({changed})))

    flips(kit, 400, seed=3)


def test_a_damaged_object_is_named_with_the_items_and_backups_that_need_it(kit: Kit) -> None:
    first, second = kit.create(many(40)), kit.create(many(41))
    objects = kit.repository.objects()
    entry = next(one for one in kit.repository.named(kit.repository.manifest(first), objects) if one.id == "P00007")
    place = objects.places[entry.object]
    flip(kit.folder / place.pack, (place.offset + 20) * 8)

    report = kit.verify()

    [fault] = report.faults
    assert entry.object in fault.what
    assert (fault.items, set(fault.backups)) == (["account/services/P00007"], {first.id, second.id})
    assert (report.good, report.last_good) == ([], "")


def test_the_last_good_backup_is_named_when_the_newest_is_damaged(kit: Kit) -> None:
    good = kit.create(many(40))
    bad = kit.create(many(60))
    [pack] = [path for path in kit.files("packs") if path.name in bad.packs[0]]
    flip(pack, 200 * 8)

    report = kit.verify()

    assert (report.good, report.last_good) == ([good.id], good.id)


def test_a_missing_file_is_missed_without_reading_any_data(kit: Kit) -> None:
    made = kit.create(many(40))
    (kit.folder / made.packs[0]).unlink()

    report = kit.verify(read_data=False)

    assert not report.holds
    assert "is missing" in report.faults[0].what


def test_a_manifest_nobody_with_the_key_has_signed_is_refused(kit: Kit, tmp_path: Path) -> None:
    kit.create(many(5))
    forged = Kit(tmp_path / "elsewhere", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=").create(many(5))
    (kit.folder / "snapshots" / forged.id).write_bytes((tmp_path / "elsewhere" / "snapshots" / forged.id).read_bytes())

    report = kit.verify()

    assert [fault.what for fault in report.faults] == [
        f"snapshots/{forged.id} is not signed with this repository's key: it is forged, or of another repository"
    ]


def test_what_does_not_belong_there_is_noted(kit: Kit) -> None:
    kit.create(many(5))
    (kit.folder / "notes.txt").write_text("mine")

    report = kit.verify()

    assert report.holds
    assert report.notes == ["notes.txt is none of the repository's files"]


def test_the_next_backup_heals_what_verification_found_damaged(kit: Kit) -> None:
    first = kit.create(many(40))
    flip(kit.folder / first.packs[0], 100 * 8)
    assert not kit.verify().holds

    second = kit.create(many(40))

    assert second.added > 0
    assert kit.holds(first) == kit.holds(second)
    assert set(kit.verify().good) == {first.id, second.id}


def test_pruning_takes_away_what_was_damaged_and_healed(kit: Kit) -> None:
    first = kit.create(many(40))
    flip(kit.folder / first.packs[0], 100 * 8)
    kit.verify()
    kit.create(many(40))

    kit.prune()

    assert kit.verify().holds


def test_a_pack_whose_directory_is_damaged_is_healed_and_pruned_too(kit: Kit) -> None:
    first = kit.create(many(40))
    flip(kit.folder / first.packs[0], 3)
    kit.create(many(40))
    assert set(kit.verify().good) == {first.id, kit.repository.find("latest").id}

    kit.prune()

    assert kit.verify().holds


def test_one_whole_copy_of_the_header_is_enough_and_the_other_is_written_anew(kit: Kit) -> None:
    kit.create(many(5))
    flip(kit.folder / "repository.json", 77)

    assert [fault.what for fault in kit.verify().faults] == [
        "repository.json is damaged; the next `tocsin backups create` writes it anew from the other copy"
    ]
    kit.create(many(5))
    assert kit.verify().holds


def test_the_note_of_what_is_damaged_is_looked_at_too(kit: Kit) -> None:
    first = kit.create(many(10))
    flip(kit.folder / first.packs[0], 100 * 8)
    kit.verify()
    note = kit.folder / "repository.damage.json"
    flip(note, 40)

    assert any(note.name in fault.what for fault in kit.verify().faults)
    assert not any(note.name in fault.what for fault in kit.verify().faults)
